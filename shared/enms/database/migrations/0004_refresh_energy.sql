-- Keeps analytics.energy_15min and energy_1hour equal to what the raw rows say.

CREATE FUNCTION analytics.quarter_of(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('15 minutes', p_at, '2000-01-01 00:00+00');

CREATE FUNCTION analytics.hour_of(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('1 hour', p_at, '2000-01-01 00:00+00');

-- The quarters of [from, to) as the raw rows give them. Both ends are whole quarters or infinite.
--
-- Best window: the summed load is a step function, so the average over [s, s + 15 min) is largest where s is the start of a
-- piece of load, or s + 15 min the end of one, or s an end of the range asked for, which is the bucket with both its ends.
-- Pieces are readings cut at quarter boundaries, and an empty one where none begins at a boundary, so that sums over frames of
-- 15 minutes from a start (to an end) need at most the last (first) piece corrected for what hangs over.
-- A bucket without readings has a row where one of these reaches into it, or a window from it into the next.
CREATE FUNCTION analytics.energy_quarters(p_machine_id uuid, p_energy_type varchar, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    bucket timestamptz, energy_kwh numeric, spread_kwh numeric, readings int, refused int, spread_readings int, estimated int,
    covered_seconds numeric, power_sum_kw numeric, min_power_kw numeric, max_power_kw numeric, min_energy_kwh numeric,
    max_energy_kwh numeric, billing_kw numeric, best_window_kw numeric, best_window_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH judged AS MATERIALIZED (
        SELECT j.*, analytics.quarter_of(j.time) AS bucket, NOT (j.is_refused OR j.is_spread) AS is_measured
        FROM analytics.judged_readings(p_machine_id, p_energy_type, p_from, p_to + interval '15 minutes') j
    ),
    counted AS (
        SELECT j.bucket,
               sum(j.energy_kwh) FILTER (WHERE j.is_measured) AS energy_kwh,
               count(*) AS readings,
               count(*) FILTER (WHERE j.is_refused) AS refused,
               count(*) FILTER (WHERE j.is_spread) AS spread_readings,
               count(*) FILTER (WHERE j.is_estimated OR j.is_spread) AS estimated,
               sum(j.power_kw) FILTER (WHERE j.is_measured) AS power_sum_kw,
               min(j.power_kw) FILTER (WHERE j.is_measured) AS min_power_kw,
               max(j.power_kw) FILTER (WHERE j.is_measured) AS max_power_kw,
               min(j.energy_kwh) FILTER (WHERE j.is_measured) AS min_energy_kwh,
               max(j.energy_kwh) FILTER (WHERE j.is_measured) AS max_energy_kwh
        FROM judged j WHERE j.time >= p_from AND j.time < p_to GROUP BY j.bucket
    ),
    covered AS (
        SELECT j.bucket, sum(extract(epoch FROM least(j.covered_until, j.bucket + interval '15 minutes') - j.time)) AS covered_seconds
        FROM judged j WHERE j.covered_until IS NOT NULL GROUP BY j.bucket
        UNION ALL
        SELECT b.bucket, extract(epoch FROM least(j.covered_until, b.bucket + interval '15 minutes') - b.bucket)
        FROM judged j
        CROSS JOIN generate_series(j.bucket + interval '15 minutes', j.covered_until - interval '1 microsecond', interval '15 minutes') b (bucket)
        WHERE j.covered_until > j.bucket + interval '15 minutes'
    ),
    spread AS (
        SELECT b.bucket, analytics.energy_share(j.energy_kwh, j.starts_at, j.ends_at, b.bucket, b.bucket + interval '15 minutes') AS spread_kwh
        FROM judged j
        CROSS JOIN generate_series(analytics.quarter_of(j.starts_at), j.ends_at - interval '1 microsecond', interval '15 minutes') b (bucket)
        WHERE j.is_spread
    ),
    pieces AS MATERIALIZED (
        SELECT j.bucket, j.starts_at, j.ends_at, j.energy_kwh
        FROM judged j WHERE j.is_measured AND j.ends_at <= j.bucket + interval '15 minutes'
        UNION ALL
        SELECT b.bucket, c.starts_at, c.ends_at,
               j.energy_kwh * extract(epoch FROM c.ends_at - c.starts_at) / extract(epoch FROM j.ends_at - j.starts_at)
        FROM judged j
        CROSS JOIN generate_series(j.bucket, j.ends_at - interval '1 microsecond', interval '15 minutes') b (bucket)
        CROSS JOIN LATERAL (SELECT greatest(j.starts_at, b.bucket) AS starts_at, least(j.ends_at, b.bucket + interval '15 minutes') AS ends_at) c
        WHERE j.is_measured AND j.ends_at > j.bucket + interval '15 minutes'
    ),
    billed AS MATERIALIZED (
        SELECT p.bucket, round(4 * sum(p.energy_kwh), 6) AS billing_kw FROM pieces p GROUP BY p.bucket
    ),
    -- One piece per start: of two, the frame's last one would be a matter of luck.
    bounded AS (
        SELECT b.starts_at, max(b.ends_at) AS ends_at, sum(b.energy_kwh) AS energy_kwh
        FROM (SELECT p.starts_at, p.ends_at, p.energy_kwh FROM pieces p
              UNION ALL
              SELECT q.bucket + n.distance, q.bucket + n.distance, 0
              FROM billed q CROSS JOIN (VALUES (interval '-15 minutes'), (interval '0'), (interval '15 minutes')) n (distance)) b
        GROUP BY b.starts_at
    ),
    from_starts AS (
        SELECT b.starts_at AS window_at, b.starts_at + interval '15 minutes' AS window_end, sum(b.energy_kwh) OVER o AS energy_kwh,
               last_value(b.starts_at) OVER o AS edge_starts_at, last_value(b.ends_at) OVER o AS edge_ends_at, last_value(b.energy_kwh) OVER o AS edge_kwh
        FROM bounded b
        WINDOW o AS (ORDER BY b.starts_at RANGE BETWEEN CURRENT ROW AND interval '00:14:59.999999' FOLLOWING)
    ),
    to_ends AS (
        SELECT p.ends_at - interval '15 minutes' AS window_at, sum(p.energy_kwh) OVER o AS energy_kwh,
               first_value(p.starts_at) OVER o AS edge_starts_at, first_value(p.ends_at) OVER o AS edge_ends_at, first_value(p.energy_kwh) OVER o AS edge_kwh
        FROM pieces p
        WINDOW o AS (ORDER BY p.ends_at RANGE BETWEEN interval '00:14:59.999999' PRECEDING AND CURRENT ROW)
    ),
    windows AS MATERIALIZED (
        SELECT s.window_at, round(4 * CASE WHEN s.edge_ends_at > s.window_end
               THEN s.energy_kwh - s.edge_kwh * extract(epoch FROM s.edge_ends_at - s.window_end) / extract(epoch FROM s.edge_ends_at - s.edge_starts_at)
               ELSE s.energy_kwh END, 6) AS window_kw
        FROM from_starts s
        UNION ALL
        SELECT e.window_at, round(4 * CASE WHEN e.edge_starts_at < e.window_at
               THEN e.energy_kwh - e.edge_kwh * extract(epoch FROM e.window_at - e.edge_starts_at) / extract(epoch FROM e.edge_ends_at - e.edge_starts_at)
               ELSE e.energy_kwh END, 6)
        FROM to_ends e
    ),
    placed AS (
        SELECT analytics.quarter_of(w.window_at) AS bucket, w.window_at, w.window_kw FROM windows w
        UNION ALL
        SELECT w.window_at - interval '15 minutes', w.window_at, w.window_kw FROM windows w WHERE w.window_at = analytics.quarter_of(w.window_at)
    ),
    best AS (
        SELECT p.bucket, max(p.window_kw) AS window_kw, (array_agg(p.window_at ORDER BY p.window_kw DESC, p.window_at))[1] AS window_at
        FROM placed p WHERE p.window_kw > 0 GROUP BY p.bucket
    ),
    parts AS (
        SELECT c.bucket, c.energy_kwh, NULL::numeric AS spread_kwh, c.readings, c.refused, c.spread_readings, c.estimated, NULL::numeric AS covered_seconds,
               c.power_sum_kw, c.min_power_kw, c.max_power_kw, c.min_energy_kwh, c.max_energy_kwh,
               NULL::numeric AS billing_kw, NULL::numeric AS window_kw, NULL::timestamptz AS window_at
        FROM counted c
        UNION ALL
        SELECT c.bucket, NULL, NULL, 0, 0, 0, 0, c.covered_seconds, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM covered c
        UNION ALL
        SELECT s.bucket, s.spread_kwh, s.spread_kwh, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM spread s
        UNION ALL
        SELECT b.bucket, NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, b.billing_kw, NULL, NULL FROM billed b
        UNION ALL
        SELECT b.bucket, NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, b.window_kw, b.window_at FROM best b
    )
    SELECT p.bucket, coalesce(sum(p.energy_kwh), 0), coalesce(sum(p.spread_kwh), 0), sum(p.readings)::int, sum(p.refused)::int,
           sum(p.spread_readings)::int, sum(p.estimated)::int, coalesce(sum(p.covered_seconds), 0),
           sum(p.power_sum_kw), min(p.min_power_kw), max(p.max_power_kw), min(p.min_energy_kwh), max(p.max_energy_kwh),
           coalesce(max(p.billing_kw), 0), coalesce(max(p.window_kw), 0), coalesce(max(p.window_at), p.bucket)
    FROM parts p
    WHERE p.bucket >= p_from AND p.bucket < p_to
    GROUP BY p.bucket
    HAVING sum(p.readings) > 0 OR sum(p.spread_kwh) > 0 OR sum(p.covered_seconds) > 0 OR max(p.billing_kw) > 0 OR max(p.window_kw) > 0;
END;

-- What energy_quarters gives, quickly, for the regular quarters of [from, to): full of accepted rows at one even rhythm that is
-- aligned to the quarter, one quarter of the same kind before it and two after (the window from the bucket's end is the next
-- quarter, whose last row stands for the time up to the one after). There every reading stands for the time to the next, nothing is
-- a catch-up, and the windows worth looking at are the sums of as many consecutive rows as a quarter has.
CREATE FUNCTION analytics.regular_energy_quarters(p_machine_id uuid, p_energy_type varchar, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    bucket timestamptz, energy_kwh numeric, spread_kwh numeric, readings int, refused int, spread_readings int, estimated int,
    covered_seconds numeric, power_sum_kw numeric, min_power_kw numeric, max_power_kw numeric, min_energy_kwh numeric,
    max_energy_kwh numeric, billing_kw numeric, best_window_kw numeric, best_window_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    rhythm interval;
    rows_per_quarter int;
    -- A row with less energy than this share of its power can't be a row sent again.
    longest_hours numeric;
    covered_seconds numeric;
BEGIN
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY f.gap) INTO rhythm
    FROM (SELECT e.time - lag(e.time) OVER (ORDER BY e.time) AS gap FROM public.energy_readings e
          WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type AND e.time >= p_from AND e.time < p_to
          ORDER BY e.time LIMIT 10) f
    WHERE f.gap IS NOT NULL;
    IF rhythm IS NULL OR rhythm > interval '15 minutes' OR 900 % extract(epoch FROM rhythm) <> 0 THEN
        RETURN;
    END IF;
    rows_per_quarter := 900 / extract(epoch FROM rhythm);
    longest_hours := trunc(2 * extract(epoch FROM rhythm) / 3600, 6);
    covered_seconds := rows_per_quarter * extract(epoch FROM CASE p_energy_type
        WHEN 'electrical' THEN least(rhythm, 3 * analytics.reading_interval(p_machine_id)) ELSE rhythm END);

    RETURN QUERY
    WITH raw AS (
        SELECT analytics.quarter_of(e.time) AS bucket, e.time, e.power_kw, e.energy_kwh, e.is_estimated,
               sum(e.energy_kwh) OVER (ORDER BY e.time ROWS BETWEEN CURRENT ROW AND rows_per_quarter - 1 FOLLOWING) AS window_kwh
        FROM public.energy_readings e
        WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type
          AND e.time >= p_from - interval '15 minutes' AND e.time < p_to + interval '30 minutes'
    ),
    quarters AS (
        SELECT r.bucket, sum(r.energy_kwh) AS energy_kwh, count(*) AS readings, count(*) FILTER (WHERE r.is_estimated) AS estimated,
               sum(r.power_kw) AS power_sum_kw, min(r.power_kw) AS min_power_kw, max(r.power_kw) AS max_power_kw,
               min(r.energy_kwh) AS min_energy_kwh, max(r.energy_kwh) AS max_energy_kwh, max(r.window_kwh) AS window_kwh,
               (array_agg(r.time ORDER BY r.window_kwh DESC, r.time))[1] AS window_at,
               bool_and(r.energy_kwh <= r.power_kw * longest_hours AND r.time = date_bin(rhythm, r.time, '2000-01-01 00:00+00')) AS is_even
        FROM raw r GROUP BY r.bucket
    ),
    marked AS (
        SELECT q.*, coalesce(q.is_even AND q.readings = rows_per_quarter AND q.min_energy_kwh >= 0 AND q.max_power_kw <> 'NaN', false) AS is_regular
        FROM quarters q
    ),
    between_others AS (
        SELECT m.*, coalesce(m.is_regular
                        AND lag(m.is_regular) OVER o AND m.bucket - lag(m.bucket) OVER o = interval '15 minutes'
                        AND lead(m.is_regular) OVER o AND lead(m.is_regular, 2) OVER o
                        AND lead(m.bucket, 2) OVER o - m.bucket = interval '30 minutes', false) AS is_inner,
               -- The window that starts at the bucket's end.
               lead(m.energy_kwh) OVER o AS next_kwh
        FROM marked m WINDOW o AS (ORDER BY m.bucket)
    )
    SELECT b.bucket, b.energy_kwh, 0::numeric, b.readings::int, 0, 0, b.estimated::int, covered_seconds, b.power_sum_kw,
           b.min_power_kw, b.max_power_kw, b.min_energy_kwh, b.max_energy_kwh,
           round(4 * b.energy_kwh, 6), round(4 * greatest(b.window_kwh, b.next_kwh), 6),
           CASE WHEN b.window_kwh = 0 AND b.next_kwh = 0 THEN b.bucket
                WHEN b.window_kwh >= b.next_kwh THEN b.window_at
                ELSE b.bucket + interval '15 minutes' END
    FROM between_others b
    WHERE b.is_inner AND b.bucket >= p_from AND b.bucket < p_to;
END $$;

-- What replaces the rows of [from, to) in a table by freshly computed ones, touching those alone that differ, and tells the
-- buckets that it computed. The regular quarters are some of a range: the others there are left as they are.
DO $$
DECLARE
    columns CONSTANT text[] := '{energy_kwh,spread_kwh,readings,refused,spread_readings,estimated,covered_seconds,power_sum_kw,min_power_kw,
        max_power_kw,min_energy_kwh,max_energy_kwh,billing_kw,best_window_kw,best_window_at}';
    store record;
BEGIN
    FOR store IN SELECT * FROM (VALUES
        ('store_regular_energy_quarters', 'energy_15min', false,
         'SELECT * FROM analytics.regular_energy_quarters(p_machine_id, p_energy_type, p_from, p_to)'),
        ('store_energy_quarters', 'energy_15min', true,
         'SELECT * FROM analytics.energy_quarters(p_machine_id, p_energy_type, p_from, p_to)'),
        ('store_energy_hours', 'energy_1hour', true,
         'SELECT analytics.hour_of(q.bucket) AS bucket, sum(q.energy_kwh), sum(q.spread_kwh), sum(q.readings)::int, sum(q.refused)::int,
                 sum(q.spread_readings)::int, sum(q.estimated)::int, sum(q.covered_seconds), sum(q.power_sum_kw),
                 min(q.min_power_kw), max(q.max_power_kw), min(q.min_energy_kwh), max(q.max_energy_kwh), max(q.billing_kw), max(q.best_window_kw),
                 (array_agg(q.best_window_at ORDER BY q.best_window_kw DESC, q.best_window_at))[1]
          FROM analytics.energy_15min q
          WHERE q.machine_id = p_machine_id AND q.energy_type = p_energy_type AND q.bucket >= p_from AND q.bucket < p_to
          GROUP BY analytics.hour_of(q.bucket)')
    ) stores (name, target, replaces_all, source)
    LOOP
        EXECUTE format($f$
            CREATE FUNCTION analytics.%1$I(p_machine_id uuid, p_energy_type varchar, p_from timestamptz, p_to timestamptz) RETURNS timestamptz[]
            LANGUAGE plpgsql AS $body$
            DECLARE
                computed timestamptz[];
            BEGIN
                WITH fresh (bucket, %4$s) AS MATERIALIZED (%3$s),
                written AS (
                    INSERT INTO analytics.%2$I AS a (machine_id, energy_type, bucket, %4$s)
                    SELECT p_machine_id, p_energy_type, f.* FROM fresh f
                    ON CONFLICT (machine_id, energy_type, bucket) DO UPDATE SET %5$s WHERE (%6$s) IS DISTINCT FROM (%7$s)
                )
                SELECT coalesce(array_agg(f.bucket), '{}') INTO computed FROM fresh f;
                IF %8$L THEN
                    DELETE FROM analytics.%2$I a
                    WHERE a.machine_id = p_machine_id AND a.energy_type = p_energy_type AND a.bucket >= p_from AND a.bucket < p_to
                      AND a.bucket <> ALL (computed);
                END IF;
                RETURN computed;
            END $body$
        $f$, store.name, store.target, store.source, array_to_string(columns, ', '),
            (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ') FROM unnest(columns) c),
            (SELECT string_agg(format('a.%I', c), ', ') FROM unnest(columns) c),
            (SELECT string_agg(format('excluded.%I', c), ', ') FROM unnest(columns) c), store.replaces_all);
    END LOOP;
END $$;

-- Brings the buckets up to date that rows of one machine and carrier with `time` in [first, last] (both included) bear on:
-- rows were added, changed or removed there. The bounds may be infinite.
--
-- One refresh at a time per machine and carrier: the second of two writers waits for the first to commit and then sees its rows.
CREATE FUNCTION analytics.refresh_energy(p_machine_id uuid, p_energy_type varchar, p_first timestamptz, p_last timestamptz)
RETURNS void
LANGUAGE plpgsql
-- One plan for any range, made before the tables have statistics: nested loops over these row sets would take hours.
SET work_mem = '64MB' SET jit = off SET plan_cache_mode = force_generic_plan SET enable_nestloop = off
AS $$
DECLARE
    -- A neighbour's judgement may change, and with it what lies between it and its own neighbours.
    first_bucket timestamptz;
    end_bucket timestamptz;
    regular timestamptz[];
    months timestamptz[];
    stretch record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_machine_id::text || p_energy_type, 0));
    first_bucket := analytics.quarter_of(analytics.fifth_reading_before(p_machine_id, p_energy_type, p_first)) - interval '15 minutes';
    end_bucket := analytics.quarter_of(analytics.fifth_reading_after(p_machine_id, p_energy_type, p_last)
                                       + analytics.reading_interval(p_machine_id)) + interval '15 minutes';
    IF p_last - interval '6 hours' > p_first THEN
        regular := analytics.store_regular_energy_quarters(p_machine_id, p_energy_type, first_bucket, end_bucket);
    END IF;
    -- A month at a time: a year at once takes far longer than its months.
    IF p_last - interval '30 days' > p_first THEN
        SELECT array_agg(month) INTO months
        FROM (SELECT min(e.time) AS oldest, max(e.time) AS newest FROM public.energy_readings e
              WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type) history
        CROSS JOIN generate_series(analytics.quarter_of(greatest(p_first, oldest)) + interval '30 days', least(p_last, newest), interval '30 days') month;
    END IF;
    FOR stretch IN
        SELECT coalesce(lag(c.cut) OVER (PARTITION BY s.ends ORDER BY c.cut), s.starts) AS starts, c.cut AS ends
        FROM (SELECT coalesce(lag(b) OVER o + interval '15 minutes', first_bucket) AS starts, b AS ends
              FROM unnest(regular || end_bucket) b WINDOW o AS (ORDER BY b)) s
        CROSS JOIN LATERAL (
            SELECT month FROM unnest(months) month WHERE month > s.starts AND month < s.ends
            UNION ALL SELECT s.ends) c (cut)
        WHERE s.starts < s.ends
    LOOP
        PERFORM analytics.store_energy_quarters(p_machine_id, p_energy_type, stretch.starts, stretch.ends);
    END LOOP;
    PERFORM analytics.store_energy_hours(p_machine_id, p_energy_type, analytics.hour_of(first_bucket),
                                         analytics.hour_of(end_bucket) + interval '1 hour');
END $$;
