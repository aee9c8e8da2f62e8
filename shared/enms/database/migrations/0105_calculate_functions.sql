-- The contract's KPI functions: names, arguments and result types are other programs' (views depend on them), figures are ours, for
-- electricity. Replaced in place where a platform shipped its own. Volatile, because where fact tables can't carry triggers the
-- aggregates are brought up to date when they are read; with their owner's rights, because the platform's other roles call them and
-- have none on the schema analytics.

CREATE OR REPLACE FUNCTION public.calculate_sec(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz)
RETURNS TABLE (machine_id uuid, sec_kwh_per_unit numeric, total_energy_kwh numeric, total_production_units bigint, time_period_hours numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, k.sec_kwh_per_unit, k.total_energy_kwh, k.total_production_units, (k.basis).time_period_hours
    FROM (SELECT) one LEFT JOIN analytics.kpi_sec(p_machine_id, p_start_time, p_end_time) k ON true;
END $$;

CREATE OR REPLACE FUNCTION public.calculate_peak_demand(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz)
RETURNS TABLE (machine_id uuid, peak_demand_kw numeric, peak_time timestamptz, avg_power_kw numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, k.peak_demand_kw, k.peak_time, k.avg_power_kw
    FROM (SELECT) one LEFT JOIN analytics.kpi_peak_demand(p_machine_id, p_start_time, p_end_time) k ON true;
END $$;

CREATE OR REPLACE FUNCTION public.calculate_load_factor(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz)
RETURNS TABLE (machine_id uuid, load_factor numeric, load_factor_percent numeric, avg_power_kw numeric, max_power_kw numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, k.load_factor, k.load_factor_percent, k.avg_power_kw, k.max_power_kw
    FROM (SELECT) one LEFT JOIN analytics.kpi_load_factor(p_machine_id, p_start_time, p_end_time) k ON true;
END $$;

CREATE OR REPLACE FUNCTION public.calculate_energy_cost(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz, p_factory_id uuid DEFAULT NULL)
RETURNS TABLE (machine_id uuid, total_cost numeric, total_energy_kwh numeric, avg_rate_per_kwh numeric, currency varchar)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, k.total_cost, k.total_energy_kwh, k.avg_rate_per_kwh, k.currency
    FROM (SELECT) one LEFT JOIN analytics.kpi_energy_cost(p_machine_id, p_start_time, p_end_time, 'electrical', p_factory_id) k ON true;
END $$;

-- Callers who name no region pass 'default': then the factory's own serves, as in every other call.
CREATE OR REPLACE FUNCTION public.calculate_carbon_intensity(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz, p_region varchar DEFAULT 'default')
RETURNS TABLE (machine_id uuid, total_co2_kg numeric, total_energy_kwh numeric, emission_factor numeric, co2_per_unit_kg numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, k.total_co2_kg, k.total_energy_kwh, k.emission_factor, k.co2_per_unit_kg
    FROM (SELECT) one LEFT JOIN analytics.kpi_carbon(p_machine_id, p_start_time, p_end_time, 'electrical', p_region) k ON true;
END $$;

CREATE OR REPLACE FUNCTION public.calculate_all_kpis(p_machine_id uuid, p_start_time timestamptz, p_end_time timestamptz)
RETURNS TABLE (machine_id uuid, machine_name varchar, time_period_hours numeric, total_energy_kwh numeric, avg_power_kw numeric, peak_demand_kw numeric,
    total_production_units bigint, sec_kwh_per_unit numeric, load_factor numeric, load_factor_percent numeric, total_cost numeric, cost_per_unit numeric,
    total_co2_kg numeric, co2_per_unit_kg numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM analytics.catch_up(p_machine_id);
    RETURN QUERY
    SELECT p_machine_id, (k.basis).subject_name, (k.basis).time_period_hours, k.total_energy_kwh, k.avg_power_kw, k.peak_demand_kw,
           k.total_production_units, k.sec_kwh_per_unit, k.load_factor, k.load_factor_percent, k.total_cost, k.cost_per_unit,
           k.total_co2_kg, k.co2_per_unit_kg
    FROM analytics.kpi_all(p_machine_id, p_start_time, p_end_time) k;
END $$;
