-- What charts need: history by the factory's calendar, load profile, load duration curve.

-- Local days, ISO weeks (from Monday) or months that [start, end) touches, cut to it at its ends; beside each the one as many
-- intervals earlier as there are, so that the whole stands beside the period before it. `current` and `previous` are rows of kpi_all.
CREATE FUNCTION analytics.kpi_history(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_interval text, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (interval_start timestamptz, interval_end timestamptz, local_date date, current jsonb, previous jsonb)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    zone CONSTANT text := coalesce(
        (SELECT analytics.factory_zone(factory_id) FROM public.machines WHERE id = p_subject_id), analytics.factory_zone(p_subject_id));
    step CONSTANT interval := ('1 ' || p_interval)::interval;
    first_date CONSTANT timestamp := date_trunc(p_interval, p_start AT TIME ZONE zone);
    last_date CONSTANT timestamp := date_trunc(p_interval, (p_end - interval '1 microsecond') AT TIME ZONE zone);
    intervals CONSTANT int := (SELECT count(*) FROM generate_series(first_date, last_date, step));
BEGIN
    RETURN QUERY
    SELECT part.since, part.until, part.since_date, to_jsonb(now_row), to_jsonb(then_row)
    FROM generate_series(0, intervals - 1) i
    CROSS JOIN LATERAL (
        SELECT (first_date + i * step)::date AS since_date,
               greatest(analytics.local_midnight(zone, (first_date + i * step)::date), p_start) AS since,
               least(analytics.local_midnight(zone, (first_date + (i + 1) * step)::date), p_end) AS until,
               greatest(analytics.local_midnight(zone, (first_date + (i - intervals) * step)::date),
                        ((p_start AT TIME ZONE zone) - intervals * step) AT TIME ZONE zone) AS since_then,
               least(analytics.local_midnight(zone, (first_date + (i + 1 - intervals) * step)::date),
                     ((p_end AT TIME ZONE zone) - intervals * step) AT TIME ZONE zone) AS until_then
    ) part
    CROSS JOIN LATERAL analytics.kpi_all(p_subject_id, part.since, part.until, p_energy_type) now_row
    CROSS JOIN LATERAL analytics.kpi_all(p_subject_id, part.since_then, part.until_then, p_energy_type) then_row
    ORDER BY part.since;
END $$;

-- Mean power by local hour and weekday (0 = Sunday), over the whole quarters of the period that have energy.
CREATE FUNCTION analytics.kpi_profile(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (weekday int, hour int, mean_power_kw numeric, hours numeric)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    basis CONSTANT analytics.kpi_basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    cut record;
BEGIN
    cut := analytics.cut_period(p_start, p_end, true);
    RETURN QUERY
    SELECT date_part('dow', load.wall)::int, date_part('hour', load.wall)::int, sum(load.kwh) / sum(0.25), sum(0.25)
    FROM (
        SELECT e.bucket AT TIME ZONE basis.timezone AS wall, sum(e.energy_kwh) AS kwh
        FROM analytics.energy_15min e
        WHERE e.machine_id = ANY (basis.machine_ids) AND e.energy_type = p_energy_type AND e.bucket >= cut.first_quarter AND e.bucket < cut.last_quarter
        GROUP BY e.bucket
        HAVING bool_or(e.readings > e.refused OR e.spread_kwh > 0 OR e.billing_kw > 0)
    ) load
    GROUP BY 1, 2 ORDER BY 1, 2;
END $$;

-- Load duration curve of the quarter hours: power met or exceeded during `share` of them, thinned to p_points, both extremes kept.
CREATE FUNCTION analytics.kpi_duration_curve(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical', p_points int DEFAULT 200)
RETURNS TABLE (share numeric, power_kw numeric)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    basis CONSTANT analytics.kpi_basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    loads numeric[];
    points int;
    cut record;
BEGIN
    cut := analytics.cut_period(p_start, p_end, true);
    SELECT array_agg(load.kw ORDER BY load.kw DESC) INTO loads
    FROM (
        SELECT sum(e.billing_kw) AS kw
        FROM analytics.energy_15min e
        WHERE e.machine_id = ANY (basis.machine_ids) AND e.energy_type = p_energy_type AND e.bucket >= cut.first_quarter AND e.bucket < cut.last_quarter
        GROUP BY e.bucket
        HAVING bool_or(e.readings > e.refused + e.spread_readings OR e.billing_kw > 0)
    ) load;
    points := least(p_points, cardinality(loads));
    RETURN QUERY
    SELECT place.at::numeric / cardinality(loads), loads[place.at]
    FROM generate_series(0, points - 1) i
    CROSS JOIN LATERAL (SELECT 1 + round(i * (cardinality(loads) - 1) / greatest(points - 1, 1)::numeric)::int AS at) place;
END $$;
