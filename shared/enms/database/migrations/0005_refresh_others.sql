-- Keeps the 15-minute and hour tables of production and environment equal to the raw rows: plain sums and counts, so a changed
-- row bears on its own bucket only. The two facts differ in their columns alone: one pattern makes the functions of both.
DO $$
DECLARE
    fact record;
BEGIN
    FOR fact IN
        SELECT names.fact, names.raw,
               string_agg(format('%I', c.target), ', ' ORDER BY c.n) AS targets,
               string_agg(c.from_raw, ', ' ORDER BY c.n) AS from_raw,
               string_agg(format('sum(q.%I)%s', c.target, CASE WHEN c.is_count THEN '::int' ELSE '' END), ', ' ORDER BY c.n) AS from_quarters,
               string_agg(format('%1$I = excluded.%1$I', c.target), ', ' ORDER BY c.n) AS assignments,
               string_agg(format('a.%I', c.target), ', ' ORDER BY c.n) AS present,
               string_agg(format('excluded.%I', c.target), ', ' ORDER BY c.n) AS wanted
        FROM (VALUES ('production', 'production_data'), ('environment', 'environmental_data')) names (fact, raw)
        JOIN (
            SELECT v.fact, v.target, v.from_raw, false AS is_count, v.n
            FROM (VALUES
                ('production', 'production_count', 'coalesce(sum(r.production_count), 0)', 1),
                ('production', 'production_count_good', 'coalesce(sum(r.production_count_good), 0)', 2),
                ('production', 'production_count_bad', 'coalesce(sum(r.production_count_bad), 0)', 3),
                ('production', 'downtime_seconds', 'coalesce(sum(r.downtime_seconds), 0)', 4)
            ) v (fact, target, from_raw, n)
            UNION ALL
            SELECT v.fact, v.name || s.suffix, format(s.expression, v.source), s.suffix = '_readings', v.n
            FROM (VALUES
                ('production', 'throughput', 'throughput_units_per_hour', 10), ('production', 'speed_percent', 'speed_percent', 12),
                ('environment', 'outdoor_temp', 'outdoor_temp_c', 10), ('environment', 'indoor_temp', 'indoor_temp_c', 12),
                ('environment', 'machine_temp', 'machine_temp_c', 14), ('environment', 'outdoor_humidity', 'outdoor_humidity_percent', 16),
                ('environment', 'indoor_humidity', 'indoor_humidity_percent', 18), ('environment', 'pressure', 'pressure_bar', 20),
                ('environment', 'flow_rate', 'flow_rate_m3h', 22), ('environment', 'vibration', 'vibration_mm_s', 24)
            ) v (fact, name, source, n)
            CROSS JOIN (VALUES ('_sum', 'sum(r.%I)'), ('_readings', 'count(r.%I)::int')) s (suffix, expression)
            UNION ALL
            SELECT f, 'readings', 'count(*)::int', true, 99 FROM unnest('{production,environment}'::text[]) f
        ) c ON c.fact = names.fact
        GROUP BY names.fact, names.raw
    LOOP
        EXECUTE format($f$
            CREATE FUNCTION analytics.refresh_%1$s(p_machine_id uuid, p_first timestamptz, p_last timestamptz) RETURNS void
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
            END $body$
        $f$, fact.fact, fact.raw, fact.from_raw, fact.targets, fact.from_quarters, fact.assignments, fact.present, fact.wanted);
    END LOOP;
END $$;
