-- Peak demand of a period: the largest rolling 15-minute average (windows wholly inside the period) and the largest billing
-- interval (quarter hours of the clock wholly inside it), of one machine or of the summed load of several.

-- One machine: its buckets know their own best window, so the largest of them is the answer.
CREATE FUNCTION analytics.machine_peaks(p_machine_id uuid, p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    OUT peak_demand_kw numeric, OUT peak_time timestamptz, OUT billing_peak_kw numeric, OUT billing_peak_time timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    last_start CONSTANT timestamptz := p_end - interval '15 minutes';
    cut record;      -- of the quarters that lie inside the period: billing
    windows record;  -- of those whose windows all end inside it: rolling
    billing_hour timestamptz;
BEGIN
    IF last_start < p_start THEN
        RETURN;
    END IF;
    cut := analytics.cut_period(p_start, p_end, true);
    windows := analytics.cut_period(p_start, last_start, true);
    SELECT kw, at INTO peak_demand_kw, peak_time
    FROM (
        (SELECT best_window_kw AS kw, best_window_at AS at FROM analytics.energy_1hour
         WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= windows.first_hour AND bucket < windows.last_hour
         ORDER BY best_window_kw DESC, bucket LIMIT 1)
        UNION ALL
        SELECT best_window_kw, best_window_at FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= windows.first_quarter AND bucket < windows.first_hour
        UNION ALL
        SELECT best_window_kw, best_window_at FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= windows.last_hour AND bucket < windows.last_quarter
        UNION ALL
        SELECT billing_kw, bucket FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket = last_start
        UNION ALL
        SELECT best.power_kw, best.starts_at
        FROM (VALUES (p_start, windows.first_quarter), (windows.last_quarter, last_start)) ends (a, b)
        CROSS JOIN LATERAL analytics.best_window(ARRAY[p_machine_id], p_energy_type, ends.a, ends.b) best
        WHERE ends.a < ends.b OR p_start = last_start
    ) candidates
    ORDER BY kw DESC, at LIMIT 1;

    SELECT bucket INTO billing_hour FROM analytics.energy_1hour
    WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= cut.first_hour AND bucket < cut.last_hour
    ORDER BY billing_kw DESC, bucket LIMIT 1;
    SELECT billing_kw, bucket INTO billing_peak_kw, billing_peak_time
    FROM (
        SELECT billing_kw, bucket FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= cut.first_quarter AND bucket < cut.first_hour
        UNION ALL
        SELECT billing_kw, bucket FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= billing_hour AND bucket < billing_hour + interval '1 hour'
        UNION ALL
        SELECT billing_kw, bucket FROM analytics.energy_15min
        WHERE machine_id = p_machine_id AND energy_type = p_energy_type AND bucket >= cut.last_hour AND bucket < cut.last_quarter
    ) quarters
    ORDER BY billing_kw DESC, bucket LIMIT 1;
END $$;

-- Any number of machines: the coincident peak, exactly, by branch and bound. The sum of the members' own best windows bounds what a
-- bucket can hold: hours are opened in the order of that bound; of those whose quarters may still win, raw rows decide; until none can.
CREATE FUNCTION analytics.rolling_peak(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    OUT power_kw numeric, OUT starts_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hours_at_once CONSTANT int := 8;
    last_start CONSTANT timestamptz := p_end - interval '15 minutes';
    cut record;
    hours timestamptz[];
    hour_bounds numeric[];
    opened int := 0;
    stretch record;
    found record;
BEGIN
    IF last_start < p_start THEN
        RETURN;
    END IF;
    cut := analytics.cut_period(p_start, last_start, true);
    -- The ragged ends; where the last window starts with a quarter it is that window alone.
    SELECT best.power_kw, best.starts_at INTO power_kw, starts_at
    FROM (VALUES (p_start, cut.first_quarter), (cut.last_quarter, last_start)) ends (a, b)
    CROSS JOIN LATERAL analytics.best_window(p_machine_ids, p_energy_type, ends.a, ends.b) best
    WHERE ends.a < ends.b OR ends.a = last_start
    ORDER BY best.power_kw DESC, best.starts_at LIMIT 1;

    SELECT array_agg(bucket ORDER BY bound DESC, bucket), array_agg(bound ORDER BY bound DESC, bucket) INTO hours, hour_bounds
    FROM (
        SELECT bucket, sum(best_window_kw) AS bound FROM analytics.energy_1hour
        WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= cut.first_hour AND bucket < cut.last_hour
        GROUP BY bucket
    ) bounds;

    LOOP
        FOR stretch IN
            SELECT min(b.bucket) AS first_start, max(b.bucket) + interval '15 minutes' AS last_start, max(b.bound) AS bound
            FROM (
                SELECT q.bucket, sum(q.best_window_kw) AS bound
                FROM (
                    SELECT bucket, best_window_kw FROM analytics.energy_15min
                    WHERE opened = 0 AND machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type
                      AND bucket >= cut.first_quarter AND bucket < cut.first_hour
                    UNION ALL
                    SELECT bucket, best_window_kw FROM analytics.energy_15min
                    WHERE opened = 0 AND machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type
                      AND bucket >= cut.last_hour AND bucket < cut.last_quarter
                    UNION ALL
                    SELECT bucket, best_window_kw FROM unnest(hours[opened + 1 : opened + hours_at_once]) hour
                    JOIN analytics.energy_15min ON machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type
                      AND bucket >= hour AND bucket < hour + interval '1 hour'
                ) q
                GROUP BY q.bucket
            ) b
            WHERE power_kw IS NULL OR b.bound > power_kw OR (b.bound = power_kw AND b.bucket < starts_at)
            GROUP BY date_bin('1 hour', b.bucket, '2000-01-01 00:00+00')
            ORDER BY bound DESC, first_start
        LOOP
            CONTINUE WHEN stretch.bound < power_kw OR (stretch.bound = power_kw AND stretch.first_start > starts_at);
            found := analytics.best_window(p_machine_ids, p_energy_type, stretch.first_start, stretch.last_start);
            IF power_kw IS NULL OR found.power_kw > power_kw OR (found.power_kw = power_kw AND found.starts_at < starts_at) THEN
                power_kw := found.power_kw;
                starts_at := found.starts_at;
            END IF;
        END LOOP;
        opened := opened + hours_at_once;
        EXIT WHEN hours[opened + 1] IS NULL OR hour_bounds[opened + 1] < power_kw
            OR (hour_bounds[opened + 1] = power_kw AND hours[opened + 1] > starts_at);
    END LOOP;
END $$;

-- The largest billing interval of the summed load. Of one machine an hour's largest quarter is that hour's own figure; of several,
-- its sum bounds what its quarters can hold, so hours are opened in the order of that bound. No raw rows are needed.
CREATE FUNCTION analytics.billing_peak(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    OUT power_kw numeric, OUT starts_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hours_at_once CONSTANT int := CASE WHEN cardinality(p_machine_ids) = 1 THEN 1 ELSE 8 END;
    cut record;
    hours timestamptz[];
    hour_bounds numeric[];
    opened int := 0;
BEGIN
    cut := analytics.cut_period(p_start, p_end, true);
    SELECT sum(billing_kw) AS kw, bucket INTO power_kw, starts_at
    FROM (
        SELECT bucket, billing_kw FROM analytics.energy_15min
        WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= cut.first_quarter AND bucket < cut.first_hour
        UNION ALL
        SELECT bucket, billing_kw FROM analytics.energy_15min
        WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= cut.last_hour AND bucket < cut.last_quarter
    ) ends
    GROUP BY bucket ORDER BY kw DESC, bucket LIMIT 1;

    IF cardinality(p_machine_ids) = 1 THEN
        SELECT ARRAY[bucket], ARRAY[billing_kw] INTO hours, hour_bounds FROM analytics.energy_1hour
        WHERE machine_id = p_machine_ids[1] AND energy_type = p_energy_type AND bucket >= cut.first_hour AND bucket < cut.last_hour
        ORDER BY billing_kw DESC, bucket LIMIT 1;
    ELSE
        SELECT array_agg(bucket ORDER BY bound DESC, bucket), array_agg(bound ORDER BY bound DESC, bucket) INTO hours, hour_bounds
        FROM (
            SELECT bucket, sum(billing_kw) AS bound FROM analytics.energy_1hour
            WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= cut.first_hour AND bucket < cut.last_hour
            GROUP BY bucket
        ) bounds;
    END IF;

    WHILE hours[opened + 1] IS NOT NULL LOOP
        EXIT WHEN hour_bounds[opened + 1] < power_kw OR (hour_bounds[opened + 1] = power_kw AND hours[opened + 1] > starts_at);
        SELECT q.kw, q.bucket INTO power_kw, starts_at
        FROM (
            SELECT sum(billing_kw) AS kw, bucket FROM unnest(hours[opened + 1 : opened + hours_at_once]) hour
            JOIN analytics.energy_15min ON machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type
              AND bucket >= hour AND bucket < hour + interval '1 hour'
            GROUP BY bucket
            UNION ALL SELECT power_kw, starts_at WHERE power_kw IS NOT NULL
        ) q
        ORDER BY q.kw DESC, q.bucket LIMIT 1;
        opened := opened + hours_at_once;
    END LOOP;
END $$;

-- Both peaks of the summed load. Null where the period is shorter than 15 minutes or holds no whole quarter.
CREATE FUNCTION analytics.demand_peaks(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    OUT peak_demand_kw numeric, OUT peak_time timestamptz, OUT billing_peak_kw numeric, OUT billing_peak_time timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF cardinality(p_machine_ids) = 1 THEN
        SELECT * INTO peak_demand_kw, peak_time, billing_peak_kw, billing_peak_time
        FROM analytics.machine_peaks(p_machine_ids[1], p_energy_type, p_start, p_end);
    ELSE
        SELECT * INTO peak_demand_kw, peak_time FROM analytics.rolling_peak(p_machine_ids, p_energy_type, p_start, p_end);
        SELECT * INTO billing_peak_kw, billing_peak_time FROM analytics.billing_peak(p_machine_ids, p_energy_type, p_start, p_end);
    END IF;
END $$;
