-- Daily KPIs of the factories and all their machines for one local day, where it has closed. Repeating it changes nothing but what
-- late readings changed.
CREATE FUNCTION analytics.fill_kpi_daily(p_day date, p_factory_ids uuid[]) RETURNS int
LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    written int;
BEGIN
    INSERT INTO analytics.kpi_daily (
        subject_type, subject_id, factory_id, energy_type, local_day, start_at, end_at, time_period_hours, total_energy_kwh, avg_power_kw,
        peak_demand_kw, peak_at, billing_peak_kw, billing_peak_at, total_production_units, sec_kwh_per_unit, load_factor, load_factor_percent,
        total_cost, cost_per_unit, currency, total_co2_kg, co2_per_unit_kg, emission_factor, coverage, spread_kwh, readings, refused,
        spread_readings, estimated)
    SELECT (k.basis).subject_kind, (k.basis).subject_id, f.id, (k.basis).energy_type, p_day, day.since, day.until, (k.basis).time_period_hours,
           k.total_energy_kwh, k.avg_power_kw, k.peak_demand_kw, k.peak_time, k.billing_peak_kw, k.billing_peak_time, k.total_production_units,
           k.sec_kwh_per_unit, k.load_factor, k.load_factor_percent, k.total_cost, k.cost_per_unit, k.currency, k.total_co2_kg,
           k.co2_per_unit_kg, k.emission_factor, (k.basis).coverage, (k.basis).spread_kwh, (k.basis).readings, (k.basis).refused_readings,
           (k.basis).spread_readings, (k.basis).estimated_readings
    FROM public.factories f
    CROSS JOIN LATERAL (SELECT analytics.factory_zone(f.id) AS zone) clock
    CROSS JOIN LATERAL (SELECT analytics.local_midnight(clock.zone, p_day) AS since, analytics.local_midnight(clock.zone, p_day + 1) AS until) day
    CROSS JOIN LATERAL (SELECT f.id UNION ALL SELECT m.id FROM public.machines m WHERE m.factory_id = f.id) subject (id)
    CROSS JOIN LATERAL analytics.kpi_all(subject.id, day.since, day.until) k
    WHERE f.id = ANY (p_factory_ids) AND day.until <= now()
    ON CONFLICT (subject_id, energy_type, local_day) DO UPDATE SET
        factory_id = excluded.factory_id, start_at = excluded.start_at, end_at = excluded.end_at, time_period_hours = excluded.time_period_hours,
        total_energy_kwh = excluded.total_energy_kwh, avg_power_kw = excluded.avg_power_kw, peak_demand_kw = excluded.peak_demand_kw,
        peak_at = excluded.peak_at, billing_peak_kw = excluded.billing_peak_kw, billing_peak_at = excluded.billing_peak_at,
        total_production_units = excluded.total_production_units, sec_kwh_per_unit = excluded.sec_kwh_per_unit,
        load_factor = excluded.load_factor, load_factor_percent = excluded.load_factor_percent, total_cost = excluded.total_cost,
        cost_per_unit = excluded.cost_per_unit, currency = excluded.currency, total_co2_kg = excluded.total_co2_kg,
        co2_per_unit_kg = excluded.co2_per_unit_kg, emission_factor = excluded.emission_factor, coverage = excluded.coverage,
        spread_kwh = excluded.spread_kwh, readings = excluded.readings, refused = excluded.refused,
        spread_readings = excluded.spread_readings, estimated = excluded.estimated, computed_at = now();
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;
