-- What baselines need of production and environment beside the sums there are: the time spent in each operating mode, the shift, the
-- columns of environment left out so far, and every number in `metadata`, whatever its key.

DO $$
DECLARE
    width text;
    fact text;
BEGIN
    FOREACH width IN ARRAY '{15min,1hour}'::text[] LOOP
        EXECUTE format($t$
            ALTER TABLE analytics.production_%1$s
                ADD COLUMN idle        int NOT NULL DEFAULT 0,  -- readings in this operating mode, as the four below;
                ADD COLUMN running     int NOT NULL DEFAULT 0,  -- rows that tell no mode are in none of them
                ADD COLUMN maintenance int NOT NULL DEFAULT 0,
                ADD COLUMN fault       int NOT NULL DEFAULT 0,
                ADD COLUMN offline     int NOT NULL DEFAULT 0,
                ADD COLUMN shift       text                     -- of most rows of a quarter, of most quarters of an hour; first by name
        $t$, width);
        EXECUTE format($t$
            ALTER TABLE analytics.environment_%1$s
                ADD COLUMN pressure_setpoint_sum      numeric,
                ADD COLUMN pressure_setpoint_readings int NOT NULL DEFAULT 0,
                ADD COLUMN supply_air_temp_sum        numeric,
                ADD COLUMN supply_air_temp_readings   int NOT NULL DEFAULT 0,
                ADD COLUMN return_air_temp_sum        numeric,
                ADD COLUMN return_air_temp_readings   int NOT NULL DEFAULT 0,
                ADD COLUMN cop_sum                    numeric,
                ADD COLUMN cop_readings               int NOT NULL DEFAULT 0
        $t$, width);
        FOREACH fact IN ARRAY '{production,environment}'::text[] LOOP
            EXECUTE format($t$
                CREATE TABLE analytics.%1$s_drivers_%2$s (
                    machine_id uuid NOT NULL,
                    bucket     timestamptz NOT NULL,
                    key        text NOT NULL,
                    value_sum  numeric NOT NULL,
                    readings   int NOT NULL,                    -- rows that had a number under the key
                    PRIMARY KEY (machine_id, bucket, key)
                )
            $t$, fact, width);
        END LOOP;
    END LOOP;
END $$;

-- A number of `metadata` that can be summed and sent as a double: JSON knows neither limits nor a number of decimals.
CREATE FUNCTION analytics.driver_value(p_value jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(p_value) <> 'number' OR abs(p_value::numeric) >= 1e100 THEN NULL
            WHEN scale(p_value::numeric) > 30 THEN round(p_value::numeric, 30)
            ELSE p_value::numeric END;

-- As before (0005), with the columns above; and what is not a number counts as absent. Numbers in `metadata` are looked at where there
-- are any: most platforms have none.
DO $$
DECLARE
    fact record;
BEGIN
    FOR fact IN
        SELECT names.fact, names.raw,
               string_agg(format('%I', c.target), ', ' ORDER BY c.n) AS targets,
               string_agg(c.from_raw, ', ' ORDER BY c.n) AS from_raw,
               string_agg(CASE c.kind WHEN 'count' THEN format('sum(q.%I)::int', c.target) WHEN 'sum' THEN format('sum(q.%I)', c.target)
                               ELSE format('mode() WITHIN GROUP (ORDER BY q.%I COLLATE "C")', c.target) END, ', ' ORDER BY c.n) AS from_quarters,
               string_agg(format('%1$I = excluded.%1$I', c.target), ', ' ORDER BY c.n) AS assignments,
               string_agg(format('a.%I', c.target), ', ' ORDER BY c.n) AS present,
               string_agg(format('excluded.%I', c.target), ', ' ORDER BY c.n) AS wanted
        FROM (VALUES ('production', 'production_data'), ('environment', 'environmental_data')) names (fact, raw)
        JOIN (
            SELECT 'production' AS fact, name AS target, format('coalesce(sum(r.%I), 0)', name) AS from_raw, 'sum' AS kind, 1 AS n
            FROM unnest('{production_count,production_count_good,production_count_bad,downtime_seconds}'::text[]) name
            UNION ALL
            SELECT 'production', mode, format('count(*) FILTER (WHERE r.operating_mode = %L)::int', mode), 'count', 2
            FROM unnest('{idle,running,maintenance,fault,offline}'::text[]) mode
            UNION ALL
            SELECT 'production', 'shift', 'mode() WITHIN GROUP (ORDER BY r.shift COLLATE "C")', 'mode', 3
            UNION ALL
            SELECT v.fact, v.name || s.suffix, format(s.expression, v.source), s.kind, 4
            FROM (VALUES
                ('production', 'throughput', 'throughput_units_per_hour'), ('production', 'speed_percent', 'speed_percent'),
                ('environment', 'outdoor_temp', 'outdoor_temp_c'), ('environment', 'indoor_temp', 'indoor_temp_c'),
                ('environment', 'machine_temp', 'machine_temp_c'), ('environment', 'outdoor_humidity', 'outdoor_humidity_percent'),
                ('environment', 'indoor_humidity', 'indoor_humidity_percent'), ('environment', 'pressure', 'pressure_bar'),
                ('environment', 'pressure_setpoint', 'pressure_setpoint_bar'), ('environment', 'flow_rate', 'flow_rate_m3h'),
                ('environment', 'supply_air_temp', 'supply_air_temp_c'), ('environment', 'return_air_temp', 'return_air_temp_c'),
                ('environment', 'cop', 'cop'), ('environment', 'vibration', 'vibration_mm_s')
            ) v (fact, name, source)
            CROSS JOIN (VALUES ('_sum', 'sum(nullif(r.%I, ''NaN''))', 'sum'), ('_readings', 'count(nullif(r.%I, ''NaN''))::int', 'count')) s (suffix, expression, kind)
            UNION ALL
            SELECT f, 'readings', 'count(*)::int', 'count', 5 FROM unnest('{production,environment}'::text[]) f
        ) c ON c.fact = names.fact
        GROUP BY names.fact, names.raw
    LOOP
        EXECUTE format($f$
            CREATE OR REPLACE FUNCTION analytics.refresh_%1$s(p_machine_id uuid, p_first timestamptz, p_last timestamptz) RETURNS void
            LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $body$
            DECLARE
                first_quarter timestamptz := analytics.quarter_of(p_first);
                end_quarter timestamptz := analytics.quarter_of(p_last) + interval '15 minutes';
                first_hour timestamptz := analytics.hour_of(p_first);
                end_hour timestamptz := analytics.hour_of(p_last) + interval '1 hour';
            BEGIN
                PERFORM pg_advisory_xact_lock(hashtextextended(p_machine_id::text || '%1$s', 1));
                WITH fresh AS MATERIALIZED (
                    SELECT analytics.quarter_of(r.time) AS bucket, %3$s
                    FROM public.%2$s r WHERE r.machine_id = p_machine_id AND r.time >= first_quarter AND r.time < end_quarter
                    GROUP BY analytics.quarter_of(r.time)
                ), gone AS (
                    DELETE FROM analytics.%1$s_15min a
                    WHERE a.machine_id = p_machine_id AND a.bucket >= first_quarter AND a.bucket < end_quarter
                      AND a.bucket NOT IN (SELECT f.bucket FROM fresh f)
                )
                INSERT INTO analytics.%1$s_15min AS a (machine_id, bucket, %4$s) SELECT p_machine_id, f.* FROM fresh f
                ON CONFLICT (machine_id, bucket) DO UPDATE SET %6$s WHERE (%7$s) IS DISTINCT FROM (%8$s);
                WITH fresh AS MATERIALIZED (
                    SELECT analytics.hour_of(q.bucket) AS bucket, %5$s
                    FROM analytics.%1$s_15min q WHERE q.machine_id = p_machine_id AND q.bucket >= first_hour AND q.bucket < end_hour
                    GROUP BY analytics.hour_of(q.bucket)
                ), gone AS (
                    DELETE FROM analytics.%1$s_1hour a
                    WHERE a.machine_id = p_machine_id AND a.bucket >= first_hour AND a.bucket < end_hour
                      AND a.bucket NOT IN (SELECT f.bucket FROM fresh f)
                )
                INSERT INTO analytics.%1$s_1hour AS a (machine_id, bucket, %4$s) SELECT p_machine_id, f.* FROM fresh f
                ON CONFLICT (machine_id, bucket) DO UPDATE SET %6$s WHERE (%7$s) IS DISTINCT FROM (%8$s);

                IF NOT EXISTS (SELECT FROM public.%2$s r WHERE r.machine_id = p_machine_id AND r.time >= first_quarter AND r.time < end_quarter AND r.metadata <> '{}')
                    AND NOT EXISTS (SELECT FROM analytics.%1$s_drivers_15min a WHERE a.machine_id = p_machine_id AND a.bucket >= first_quarter AND a.bucket < end_quarter) THEN
                    RETURN;
                END IF;
                WITH fresh AS MATERIALIZED (
                    SELECT analytics.quarter_of(r.time) AS bucket, e.key, sum(v.value) AS value_sum, count(*)::int AS readings
                    FROM public.%2$s r
                    CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(r.metadata) = 'object' THEN r.metadata END) e
                    CROSS JOIN LATERAL (SELECT analytics.driver_value(e.value) AS value) v
                    WHERE r.machine_id = p_machine_id AND r.time >= first_quarter AND r.time < end_quarter AND v.value IS NOT NULL
                    GROUP BY analytics.quarter_of(r.time), e.key
                ), gone AS (
                    DELETE FROM analytics.%1$s_drivers_15min a
                    WHERE a.machine_id = p_machine_id AND a.bucket >= first_quarter AND a.bucket < end_quarter
                      AND (a.bucket, a.key) NOT IN (SELECT f.bucket, f.key FROM fresh f)
                )
                INSERT INTO analytics.%1$s_drivers_15min AS a (machine_id, bucket, key, value_sum, readings) SELECT p_machine_id, f.* FROM fresh f
                ON CONFLICT (machine_id, bucket, key) DO UPDATE SET value_sum = excluded.value_sum, readings = excluded.readings
                WHERE (a.value_sum, a.readings) IS DISTINCT FROM (excluded.value_sum, excluded.readings);
                WITH fresh AS MATERIALIZED (
                    SELECT analytics.hour_of(q.bucket) AS bucket, q.key, sum(q.value_sum) AS value_sum, sum(q.readings)::int AS readings
                    FROM analytics.%1$s_drivers_15min q WHERE q.machine_id = p_machine_id AND q.bucket >= first_hour AND q.bucket < end_hour
                    GROUP BY analytics.hour_of(q.bucket), q.key
                ), gone AS (
                    DELETE FROM analytics.%1$s_drivers_1hour a
                    WHERE a.machine_id = p_machine_id AND a.bucket >= first_hour AND a.bucket < end_hour
                      AND (a.bucket, a.key) NOT IN (SELECT f.bucket, f.key FROM fresh f)
                )
                INSERT INTO analytics.%1$s_drivers_1hour AS a (machine_id, bucket, key, value_sum, readings) SELECT p_machine_id, f.* FROM fresh f
                ON CONFLICT (machine_id, bucket, key) DO UPDATE SET value_sum = excluded.value_sum, readings = excluded.readings
                WHERE (a.value_sum, a.readings) IS DISTINCT FROM (excluded.value_sum, excluded.readings);
            END $body$
        $f$, fact.fact, fact.raw, fact.from_raw, fact.targets, fact.from_quarters, fact.assignments, fact.present, fact.wanted);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION analytics.production_or_environment_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_production CONSTANT boolean := TG_TABLE_NAME = 'production_data';
    hours analytics.changed_hour[];
    stretch analytics.changed_hour;
BEGIN
    IF TG_OP = 'TRUNCATE' AND is_production THEN
        TRUNCATE analytics.production_15min, analytics.production_1hour, analytics.production_drivers_15min, analytics.production_drivers_1hour;
        RETURN NULL;
    ELSIF TG_OP = 'TRUNCATE' THEN
        TRUNCATE analytics.environment_15min, analytics.environment_1hour, analytics.environment_drivers_15min, analytics.environment_drivers_1hour;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(h) INTO hours FROM (
            SELECT r.machine_id, '', min(r.time), max(r.time)
            FROM (SELECT machine_id, time FROM changed UNION ALL SELECT machine_id, time FROM former) r
            GROUP BY r.machine_id, analytics.hour_of(r.time)) h;
    ELSE
        SELECT array_agg(h) INTO hours FROM (
            SELECT machine_id, '', min(time), max(time) FROM changed GROUP BY machine_id, analytics.hour_of(time)) h;
    END IF;
    FOR stretch IN SELECT * FROM analytics.changed_stretches(hours) LOOP
        IF is_production THEN
            PERFORM analytics.refresh_production(stretch.machine_id, stretch.first_at, stretch.last_at);
        ELSE
            PERFORM analytics.refresh_environment(stretch.machine_id, stretch.first_at, stretch.last_at);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- What was there before these columns.
DO $$
BEGIN
    IF coalesce(current_setting('analytics.skip_backfill', true), '') <> 'on' THEN
        PERFORM analytics.refresh_production(m.id, '-infinity', 'infinity'), analytics.refresh_environment(m.id, '-infinity', 'infinity')
        FROM public.machines m;
    END IF;
END $$;
