-- The KPIs: `analytics.kpi_*(subject, start, end, carrier)`, the subject being a machine or a factory. Each figure is written once below
-- and used by the single and by the combined call. No row comes back for a subject that does not exist.

-- What every KPI starts from: who is asked about, and what its readings say.
CREATE TYPE analytics.kpi_basis AS (
    subject_id uuid, subject_name varchar, subject_kind text, energy_type varchar, factory_id uuid, timezone text, carbon_region text,
    machine_ids uuid[],            -- those metered for the carrier
    start_at timestamptz, end_at timestamptz, time_period_hours numeric,
    elapsed_hours numeric,         -- of the period up to now: what averages and coverage are judged by
    energy_kwh numeric,            -- null without an accepted reading
    spread_kwh numeric, readings bigint, refused_readings bigint, spread_readings bigint, estimated_readings bigint,
    measured_readings bigint,      -- accepted and no catch-up: what peaks are made of
    coverage numeric, flat_hours bigint, avg_power_kw numeric, production_units bigint, warnings text[]);

-- Members of a factory are its machines that have readings of the carrier: of those out of service only in the period itself.
CREATE FUNCTION analytics.kpi_basis(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar) RETURNS analytics.kpi_basis
LANGUAGE plpgsql STABLE AS $$
DECLARE
    basis analytics.kpi_basis;
    given_zone text;
    all_machine_ids uuid[];
    energy record;
    elapsed_seconds numeric;
BEGIN
    SELECT m.name, 'machine', f.id, f.timezone, f.metadata ->> 'carbon_region', ARRAY[m.id]
    INTO basis.subject_name, basis.subject_kind, basis.factory_id, given_zone, basis.carbon_region, all_machine_ids
    FROM public.machines m JOIN public.factories f ON f.id = m.factory_id WHERE m.id = p_subject_id;
    IF FOUND THEN
        basis.machine_ids := all_machine_ids;
    ELSE
        SELECT f.name, 'factory', f.id, f.timezone, f.metadata ->> 'carbon_region', ARRAY(SELECT m.id FROM public.machines m WHERE m.factory_id = f.id ORDER BY m.id)
        INTO basis.subject_name, basis.subject_kind, basis.factory_id, given_zone, basis.carbon_region, all_machine_ids
        FROM public.factories f WHERE f.id = p_subject_id;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        basis.machine_ids := ARRAY(
            SELECT m.id FROM public.machines m
            WHERE m.id = ANY (all_machine_ids) AND EXISTS (
                SELECT FROM analytics.energy_1hour e WHERE e.machine_id = m.id AND e.energy_type = p_energy_type AND e.bucket < p_end
                   AND (m.is_active OR e.bucket > p_start - interval '1 hour'))
            ORDER BY m.id);
    END IF;
    basis.subject_id := p_subject_id;
    basis.energy_type := p_energy_type;
    basis.timezone := analytics.valid_zone(given_zone);
    basis.start_at := p_start;
    basis.end_at := p_end;
    basis.time_period_hours := round(extract(epoch FROM p_end - p_start) / 3600, 2);
    elapsed_seconds := greatest(extract(epoch FROM least(p_end, greatest(now(), p_start)) - p_start), 0);
    basis.elapsed_hours := elapsed_seconds / 3600;

    energy := analytics.energy_totals(basis.machine_ids, p_energy_type, p_start, p_end);
    basis.spread_kwh := energy.spread_kwh;
    basis.readings := energy.readings;
    basis.refused_readings := energy.refused;
    basis.spread_readings := energy.spread_readings;
    basis.estimated_readings := energy.estimated;
    basis.measured_readings := energy.readings - energy.refused - energy.spread_readings;
    basis.flat_hours := energy.flat_hours;
    IF basis.measured_readings > 0 OR energy.spread_readings > 0 OR energy.spread_kwh > 0 THEN
        basis.energy_kwh := energy.energy_kwh;
        basis.avg_power_kw := energy.energy_kwh / nullif(basis.elapsed_hours, 0);
    END IF;
    basis.coverage := CASE WHEN elapsed_seconds > 0
        THEN least(energy.covered_seconds / (elapsed_seconds * greatest(cardinality(basis.machine_ids), 1)), 1) END;
    basis.production_units := analytics.production_units(all_machine_ids, p_start, p_end);
    basis.warnings := array_remove(ARRAY[
        CASE WHEN basis.coverage < 0.9 THEN 'low_coverage' END,
        CASE WHEN basis.refused_readings > 0 THEN 'refused_readings' END,
        CASE WHEN basis.spread_kwh > 0 THEN 'spread_readings' END,
        CASE WHEN basis.estimated_readings > basis.spread_readings THEN 'estimated_readings' END,
        CASE WHEN basis.flat_hours > 0 THEN 'flat_hours' END,
        CASE WHEN given_zone IS DISTINCT FROM basis.timezone THEN 'utc_zone' END], NULL);
    RETURN basis;
END $$;

CREATE FUNCTION analytics.sec_of(p_basis analytics.kpi_basis, OUT sec_kwh_per_unit numeric, OUT reason text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_basis.energy_kwh IS NULL THEN
        reason := 'no_readings';
    ELSIF p_basis.production_units <= 0 THEN
        reason := 'no_production';
    ELSE
        sec_kwh_per_unit := p_basis.energy_kwh / p_basis.production_units;
    END IF;
END $$;

CREATE FUNCTION analytics.peaks_of(p_basis analytics.kpi_basis,
    OUT peak_demand_kw numeric, OUT peak_time timestamptz, OUT billing_peak_kw numeric, OUT billing_peak_time timestamptz, OUT reason text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_basis.energy_kwh IS NULL THEN
        reason := 'no_readings';
        RETURN;
    END IF;
    IF p_basis.measured_readings > 0 THEN
        SELECT * INTO peak_demand_kw, peak_time, billing_peak_kw, billing_peak_time
        FROM analytics.demand_peaks(p_basis.machine_ids, p_basis.energy_type, p_basis.start_at, p_basis.end_at);
    END IF;
    reason := CASE WHEN peak_demand_kw IS NULL THEN 'no_window' END;
END $$;

-- Average power over the rolling 15-minute peak.
CREATE FUNCTION analytics.load_factor_of(p_basis analytics.kpi_basis, p_peak_kw numeric, OUT load_factor numeric, OUT reason text)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    load_factor := p_basis.avg_power_kw / nullif(p_peak_kw, 0);
    reason := CASE WHEN load_factor IS NOT NULL THEN NULL WHEN p_basis.energy_kwh IS NULL THEN 'no_readings' WHEN p_peak_kw IS NULL THEN 'no_window' ELSE 'no_load' END;
END $$;

-- Cost of the energy alone. Another carrier is priced by energy_sources, never by the electric tariff.
CREATE FUNCTION analytics.cost_of(p_basis analytics.kpi_basis, p_factory_id uuid, p_zone text,
    OUT total_cost numeric, OUT avg_rate_per_kwh numeric, OUT currency varchar, OUT bands jsonb, OUT reason text, OUT has_default boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    source record;
    has_several boolean;
BEGIN
    bands := '[]';
    has_default := false;
    IF p_basis.energy_kwh IS NULL THEN
        reason := 'no_readings';
        RETURN;
    END IF;
    IF p_basis.energy_type = 'electrical' THEN
        SELECT sum(b.cost), min(b.currency), min(b.currency) <> max(b.currency), bool_or(b.is_default), jsonb_agg(jsonb_build_object(
                   'tariff', b.tariff, 'rate_per_kwh', b.rate_per_kwh, 'currency', b.currency, 'energy_kwh', b.energy_kwh, 'cost', b.cost))
        INTO total_cost, currency, has_several, has_default, bands
        FROM analytics.cost_bands(p_factory_id, p_zone, p_basis.machine_ids, p_basis.energy_type, p_basis.start_at, p_basis.end_at) b;
        IF has_several THEN
            total_cost := NULL;
            currency := NULL;
            reason := 'several_currencies';
        END IF;
    ELSE
        SELECT s.unit, s.cost_per_unit INTO source FROM public.energy_sources s WHERE s.name = analytics.energy_source_name(p_basis.energy_type);
        IF source.cost_per_unit IS NULL THEN
            reason := 'no_price';
        ELSIF lower(source.unit) <> 'kwh' THEN
            reason := 'not_kwh';
        ELSE
            currency := analytics.factory_currency(p_factory_id);
            total_cost := p_basis.energy_kwh * source.cost_per_unit;
            bands := jsonb_build_array(jsonb_build_object('tariff', p_basis.energy_type, 'rate_per_kwh', source.cost_per_unit, 'currency', currency,
                                                          'energy_kwh', p_basis.energy_kwh, 'cost', total_cost));
        END IF;
    END IF;
    avg_rate_per_kwh := total_cost / nullif(p_basis.energy_kwh, 0);
END $$;

CREATE FUNCTION analytics.carbon_of(p_basis analytics.kpi_basis, p_region text,
    OUT total_co2_kg numeric, OUT emission_factor numeric, OUT co2_per_unit_kg numeric, OUT region text, OUT factors jsonb, OUT reason text,
    OUT has_default boolean, OUT has_default_region boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    source record;
    sole_factor numeric;
    wanted CONSTANT text := coalesce(nullif(p_region, 'default'), p_basis.carbon_region, 'default');
BEGIN
    factors := '[]';
    has_default := false;
    has_default_region := false;
    IF p_basis.energy_kwh IS NULL THEN
        reason := 'no_readings';
        RETURN;
    END IF;
    IF p_basis.energy_type = 'electrical' THEN
        region := wanted;
        SELECT sum(c.co2_kg), CASE WHEN min(c.emission_factor) = max(c.emission_factor) THEN min(c.emission_factor) END,
               bool_or(c.region IS NULL), coalesce(bool_or(c.region <> wanted), false), jsonb_agg(to_jsonb(c))
        INTO total_co2_kg, sole_factor, has_default, has_default_region, factors
        FROM analytics.carbon_shares(p_basis.timezone, wanted, p_basis.machine_ids, p_basis.energy_type, p_basis.start_at, p_basis.end_at, p_basis.energy_kwh) c;
        emission_factor := coalesce(sole_factor, total_co2_kg / nullif(p_basis.energy_kwh, 0));
    ELSE
        SELECT s.unit, s.carbon_factor INTO source FROM public.energy_sources s WHERE s.name = analytics.energy_source_name(p_basis.energy_type);
        IF source.carbon_factor IS NULL THEN
            reason := 'no_factor';
        ELSIF lower(source.unit) <> 'kwh' THEN
            reason := 'not_kwh';
        ELSE
            emission_factor := source.carbon_factor;
            total_co2_kg := p_basis.energy_kwh * source.carbon_factor;
            factors := jsonb_build_array(jsonb_build_object('region', p_basis.energy_type, 'emission_factor', emission_factor, 'valid_from', NULL, 'valid_to', NULL,
                                                            'energy_kwh', p_basis.energy_kwh, 'co2_kg', total_co2_kg));
        END IF;
    END IF;
    co2_per_unit_kg := total_co2_kg / nullif(p_basis.production_units, 0);
END $$;

CREATE FUNCTION analytics.kpi_sec(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (sec_kwh_per_unit numeric, total_energy_kwh numeric, total_production_units bigint, reason text, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    total_energy_kwh := basis.energy_kwh;
    total_production_units := basis.production_units;
    SELECT s.sec_kwh_per_unit, s.reason INTO sec_kwh_per_unit, reason FROM analytics.sec_of(basis) s;
    RETURN NEXT;
END $$;

CREATE FUNCTION analytics.kpi_peak_demand(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (peak_demand_kw numeric, peak_time timestamptz, avg_power_kw numeric, billing_peak_kw numeric, billing_peak_time timestamptz,
    reason text, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    avg_power_kw := basis.avg_power_kw;
    SELECT p.* INTO peak_demand_kw, peak_time, billing_peak_kw, billing_peak_time, reason FROM analytics.peaks_of(basis) p;
    RETURN NEXT;
END $$;

CREATE FUNCTION analytics.kpi_load_factor(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (load_factor numeric, load_factor_percent numeric, avg_power_kw numeric, max_power_kw numeric, reason text, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    avg_power_kw := basis.avg_power_kw;
    SELECT p.peak_demand_kw INTO max_power_kw FROM analytics.peaks_of(basis) p;
    SELECT l.* INTO load_factor, reason FROM analytics.load_factor_of(basis, max_power_kw) l;
    load_factor_percent := 100 * load_factor;
    RETURN NEXT;
END $$;

CREATE FUNCTION analytics.kpi_energy_cost(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical',
    p_factory_id uuid DEFAULT NULL)
RETURNS TABLE (total_cost numeric, total_energy_kwh numeric, avg_rate_per_kwh numeric, currency varchar, bands jsonb,
    demand_charge numeric, demand_charges jsonb, reason text, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    cost record;
    priced_by uuid;
    zone text;
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    -- Another factory's tariffs hold by that factory's clock.
    priced_by := coalesce(p_factory_id, basis.factory_id);
    zone := CASE WHEN priced_by = basis.factory_id THEN basis.timezone ELSE analytics.factory_zone(priced_by) END;
    cost := analytics.cost_of(basis, priced_by, zone);
    IF p_energy_type = 'electrical' THEN
        SELECT sum(d.cost), jsonb_agg(to_jsonb(d)) INTO demand_charge, demand_charges
        FROM analytics.demand_charges(priced_by, zone, basis.machine_ids, p_energy_type, p_start, p_end) d;
    END IF;
    demand_charges := coalesce(demand_charges, '[]');
    total_cost := cost.total_cost;
    total_energy_kwh := basis.energy_kwh;
    avg_rate_per_kwh := cost.avg_rate_per_kwh;
    currency := cost.currency;
    bands := cost.bands;
    reason := cost.reason;
    IF cost.has_default THEN
        basis.warnings := basis.warnings || 'default_tariff'::text;
    END IF;
    RETURN NEXT;
END $$;

-- The region is the one asked for; without one, or with 'default', the factory's (metadata, carbon_region), or else 'default'.
CREATE FUNCTION analytics.kpi_carbon(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical',
    p_region varchar DEFAULT NULL)
RETURNS TABLE (total_co2_kg numeric, total_energy_kwh numeric, emission_factor numeric, co2_per_unit_kg numeric, total_production_units bigint,
    region text, factors jsonb, reason text, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    carbon record;
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    carbon := analytics.carbon_of(basis, p_region);
    total_co2_kg := carbon.total_co2_kg;
    total_energy_kwh := basis.energy_kwh;
    emission_factor := carbon.emission_factor;
    co2_per_unit_kg := carbon.co2_per_unit_kg;
    total_production_units := basis.production_units;
    region := carbon.region;
    factors := carbon.factors;
    reason := carbon.reason;
    basis.warnings := basis.warnings || array_remove(ARRAY[
        CASE WHEN carbon.has_default THEN 'default_factor' END, CASE WHEN carbon.has_default_region THEN 'default_region' END], NULL);
    RETURN NEXT;
END $$;

-- All of them from one basis, but for the demand charge, which is kpi_energy_cost's. `reasons` names, per figure, why it is null.
CREATE FUNCTION analytics.kpi_all(p_subject_id uuid, p_start timestamptz, p_end timestamptz, p_energy_type varchar DEFAULT 'electrical')
RETURNS TABLE (total_energy_kwh numeric, total_production_units bigint, avg_power_kw numeric, sec_kwh_per_unit numeric,
    peak_demand_kw numeric, peak_time timestamptz, billing_peak_kw numeric, billing_peak_time timestamptz, load_factor numeric, load_factor_percent numeric,
    total_cost numeric, avg_rate_per_kwh numeric, cost_per_unit numeric, currency varchar, bands jsonb, total_co2_kg numeric, emission_factor numeric, co2_per_unit_kg numeric, region text, factors jsonb, reasons jsonb, basis analytics.kpi_basis)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    sec record;
    peaks record;
    load record;
    cost record;
    carbon record;
BEGIN
    basis := analytics.kpi_basis(p_subject_id, p_start, p_end, p_energy_type);
    IF basis.subject_id IS NULL THEN
        RETURN;
    END IF;
    sec := analytics.sec_of(basis);
    peaks := analytics.peaks_of(basis);
    load := analytics.load_factor_of(basis, peaks.peak_demand_kw);
    cost := analytics.cost_of(basis, basis.factory_id, basis.timezone);
    carbon := analytics.carbon_of(basis, NULL);
    total_energy_kwh := basis.energy_kwh;
    total_production_units := basis.production_units;
    avg_power_kw := basis.avg_power_kw;
    sec_kwh_per_unit := sec.sec_kwh_per_unit;
    peak_demand_kw := peaks.peak_demand_kw;
    peak_time := peaks.peak_time;
    billing_peak_kw := peaks.billing_peak_kw;
    billing_peak_time := peaks.billing_peak_time;
    load_factor := load.load_factor;
    load_factor_percent := 100 * load.load_factor;
    total_cost := cost.total_cost;
    avg_rate_per_kwh := cost.avg_rate_per_kwh;
    cost_per_unit := cost.total_cost / nullif(basis.production_units, 0);
    currency := cost.currency;
    bands := cost.bands;
    total_co2_kg := carbon.total_co2_kg;
    emission_factor := carbon.emission_factor;
    co2_per_unit_kg := carbon.co2_per_unit_kg;
    region := carbon.region;
    factors := carbon.factors;
    reasons := jsonb_strip_nulls(jsonb_build_object(
        'sec', sec.reason, 'peak_demand', peaks.reason, 'load_factor', load.reason, 'energy_cost', cost.reason, 'carbon', carbon.reason));
    basis.warnings := basis.warnings || array_remove(ARRAY[
        CASE WHEN cost.has_default THEN 'default_tariff' END,
        CASE WHEN carbon.has_default THEN 'default_factor' END, CASE WHEN carbon.has_default_region THEN 'default_region' END], NULL);
    RETURN NEXT;
END $$;
