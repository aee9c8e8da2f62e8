-- What every KPI is made of: the subject, its energy with the account of its readings, its production, its peaks.
-- Everything here reads hours, then quarters, then raw rows at the ragged ends, and never more of the latter than it must.

-- The piece of one quarter hour that lies in [p_start, p_end), from raw rows; columns as in analytics.energy_15min. (Not plain SQL:
-- inlined into every statement that might need it, it would cost them more than all else.)
CREATE FUNCTION analytics.raw_energy(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz)
RETURNS TABLE (machine_id uuid, energy_kwh numeric, spread_kwh numeric, readings int, refused int, spread_readings int, estimated int, covered_seconds numeric)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT machine.id,
           coalesce(sum(CASE WHEN r.is_spread THEN spread.kwh WHEN is_here AND NOT r.is_refused THEN r.energy_kwh END), 0),
           coalesce(sum(spread.kwh), 0),
           count(*) FILTER (WHERE is_here)::int,
           count(*) FILTER (WHERE is_here AND r.is_refused)::int,
           count(*) FILTER (WHERE is_here AND r.is_spread)::int,
           count(*) FILTER (WHERE is_here AND (r.is_estimated OR r.is_spread))::int,
           coalesce(sum(greatest(extract(epoch FROM least(r.covered_until, p_end) - greatest(r.time, p_start)), 0)) FILTER (WHERE NOT r.is_refused), 0)
    FROM unnest(p_machine_ids) machine (id)
    CROSS JOIN LATERAL analytics.judged_readings(machine.id, p_energy_type, p_start, p_end) r
    CROSS JOIN LATERAL (SELECT r.time >= p_start AND r.time < p_end AS is_here) here
    CROSS JOIN LATERAL (SELECT CASE WHEN r.is_spread THEN analytics.energy_share(r.energy_kwh, r.starts_at, r.ends_at, p_start, p_end) END AS kwh) spread
    GROUP BY machine.id;
END $$;

-- The parts of a period as rows like those of analytics.energy_15min, each inside one hour of every zone's clock.
-- The four cuts are those of analytics.cut_period. (Comparing two of them spares the search where a part is empty, as most are.)
CREATE FUNCTION analytics.energy_parts(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    p_first_quarter timestamptz, p_first_hour timestamptz, p_last_hour timestamptz, p_last_quarter timestamptz)
RETURNS TABLE (machine_id uuid, starts_at timestamptz, energy_kwh numeric, spread_kwh numeric, readings int, refused int, spread_readings int,
    estimated int, covered_seconds numeric, is_flat_hour boolean)
LANGUAGE sql STABLE AS $$
    SELECT machine_id, bucket, energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, is_flat
    FROM analytics.energy_1hour
    WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= p_first_hour AND bucket < p_last_hour
    UNION ALL
    SELECT machine_id, bucket, energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, false
    FROM analytics.energy_15min
    WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= p_first_quarter AND bucket < p_first_hour
      AND p_first_quarter < p_first_hour
    UNION ALL
    SELECT machine_id, bucket, energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, false
    FROM analytics.energy_15min
    WHERE machine_id = ANY (p_machine_ids) AND energy_type = p_energy_type AND bucket >= p_last_hour AND bucket < p_last_quarter
      AND p_last_hour < p_last_quarter
    UNION ALL
    SELECT machine_id, ends.a, energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, false
    FROM (VALUES (p_start, p_first_quarter), (p_last_quarter, p_end)) ends (a, b)
    CROSS JOIN LATERAL analytics.raw_energy(p_machine_ids, p_energy_type, ends.a, ends.b)
    WHERE ends.a < ends.b AND (p_start < p_first_quarter OR p_last_quarter < p_end);
$$;

CREATE FUNCTION analytics.energy_totals(p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz,
    OUT energy_kwh numeric, OUT spread_kwh numeric, OUT readings bigint, OUT refused bigint, OUT spread_readings bigint, OUT estimated bigint,
    OUT covered_seconds numeric, OUT flat_hours bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    cut record;
BEGIN
    cut := analytics.cut_period(p_start, p_end, true);
    SELECT coalesce(sum(p.energy_kwh), 0), coalesce(sum(p.spread_kwh), 0), coalesce(sum(p.readings), 0), coalesce(sum(p.refused), 0),
           coalesce(sum(p.spread_readings), 0), coalesce(sum(p.estimated), 0), coalesce(sum(p.covered_seconds), 0), count(*) FILTER (WHERE p.is_flat_hour)
    INTO energy_kwh, spread_kwh, readings, refused, spread_readings, estimated, covered_seconds, flat_hours
    FROM analytics.energy_parts(p_machine_ids, p_energy_type, p_start, p_end, cut.first_quarter, cut.first_hour, cut.last_hour, cut.last_quarter) p;
END $$;

-- Units produced, summed on their own: production counts in hours without an energy reading too.
CREATE FUNCTION analytics.production_units(p_machine_ids uuid[], p_start timestamptz, p_end timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    cut record;
BEGIN
    cut := analytics.cut_period(p_start, p_end, true);
    RETURN (
        SELECT coalesce(sum(units), 0) FROM (
            SELECT production_count AS units FROM analytics.production_1hour
            WHERE machine_id = ANY (p_machine_ids) AND bucket >= cut.first_hour AND bucket < cut.last_hour
            UNION ALL
            SELECT production_count FROM analytics.production_15min
            WHERE machine_id = ANY (p_machine_ids) AND bucket >= cut.first_quarter AND bucket < cut.first_hour
              AND cut.first_quarter < cut.first_hour
            UNION ALL
            SELECT production_count FROM analytics.production_15min
            WHERE machine_id = ANY (p_machine_ids) AND bucket >= cut.last_hour AND bucket < cut.last_quarter
              AND cut.last_hour < cut.last_quarter
            UNION ALL
            SELECT production_count FROM public.production_data
            WHERE machine_id = ANY (p_machine_ids) AND time >= p_start AND time < cut.first_quarter AND p_start < cut.first_quarter
            UNION ALL
            SELECT production_count FROM public.production_data
            WHERE machine_id = ANY (p_machine_ids) AND time >= cut.last_quarter AND time < p_end AND cut.last_quarter < p_end
        ) parts);
END $$;

-- The largest average over 15 minutes of the machines' summed load, among all windows that start in [p_first, p_last] (both ends in),
-- exactly: the energy up to an instant is a broken line, so the largest window starts or ends at one of its corners (or at a limit).
CREATE FUNCTION analytics.best_window(p_machine_ids uuid[], p_energy_type varchar, p_first timestamptz, p_last timestamptz,
    OUT power_kw numeric, OUT starts_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    WITH steps AS MATERIALIZED (
        SELECT step.at, sum(step.kw) AS kw
        FROM unnest(p_machine_ids) machine (id)
        CROSS JOIN LATERAL analytics.judged_readings(machine.id, p_energy_type, p_first, p_last + interval '15 minutes') r
        CROSS JOIN LATERAL (SELECT r.energy_kwh::float8 * 3600 / nullif(date_part('epoch', r.ends_at - r.starts_at), 0) AS kw) average
        CROSS JOIN LATERAL (VALUES (greatest(r.starts_at, p_first), average.kw), (least(r.ends_at, p_last + interval '15 minutes'), -average.kw)) step (at, kw)
        WHERE NOT r.is_refused AND NOT r.is_spread AND r.ends_at > p_first AND r.starts_at < p_last + interval '15 minutes'
        GROUP BY step.at
    ),
    starts AS (
        SELECT p_first AS at UNION SELECT p_last UNION SELECT at FROM steps UNION SELECT at - interval '15 minutes' FROM steps
    ),
    corners AS (
        SELECT at, sum(kw) AS kw FROM (
            SELECT at, kw FROM steps
            UNION ALL SELECT at, 0 FROM starts WHERE at BETWEEN p_first AND p_last
            UNION ALL SELECT at + interval '15 minutes', 0 FROM starts WHERE at BETWEEN p_first AND p_last
        ) points GROUP BY at
    ),
    levels AS (
        SELECT at, sum(kw) OVER (ORDER BY at) AS kw, date_part('epoch', lead(at) OVER (ORDER BY at) - at) AS seconds FROM corners
    ),
    energy AS MATERIALIZED (
        SELECT at, coalesce(sum(kw * seconds) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS kws FROM levels
    )
    SELECT round(((until.kws - since.kws) / 900)::numeric, 6) AS kw, since.at
    INTO power_kw, starts_at
    FROM energy since JOIN energy until ON until.at = since.at + interval '15 minutes'
    WHERE since.at BETWEEN p_first AND p_last
    ORDER BY kw DESC, since.at LIMIT 1;
END $$;
