-- Prices and emission factors of a period's energy.

-- Which tariff prices a local hour, documented here and nowhere else. Of the factory's active tariffs that are valid on the
-- hour's local day (end date included), apply on its weekday (0 = Sunday; none given: every day) and hold its hour:
--   1. time of use before flat   2. the latest valid_from   3. the one for fewer weekdays   4. the shorter window   5. by name
-- A window passes midnight where start_hour > end_hour; equal or missing hours are the whole day. Tariffs that are not time of use
-- hold all day. An hour that no tariff holds takes the default rates, as everything does where nothing is configured:
-- 0.20 from 8 to 20, else 0.10, in the currency of the factory's tariffs (USD without any).
CREATE FUNCTION analytics.ranked_tariffs(p_factory_id uuid, p_first_day date, p_last_day date)
RETURNS TABLE (rank bigint, name varchar, rate_per_kwh numeric, currency varchar, demand_charge_per_kw numeric, valid_from date, valid_to date,
    weekdays int[], start_hour int, end_hour int, passes_midnight boolean)
LANGUAGE sql STABLE AS $$
    SELECT row_number() OVER (ORDER BY w.is_tou DESC, t.valid_from DESC, cardinality(w.days), (w.until - w.since + 24) % 24 = 0, (w.until - w.since + 24) % 24, t.name, t.id),
           t.name, t.rate_per_kwh, coalesce(t.currency, 'USD'), t.demand_charge_per_kw, t.valid_from, t.valid_to, w.days, w.since, w.until, w.since >= w.until
    FROM public.energy_tariffs t
    CROSS JOIN LATERAL (
        SELECT coalesce(t.is_time_of_use, false) AS is_tou,
               CASE WHEN t.is_time_of_use AND t.end_hour IS NOT NULL THEN coalesce(t.start_hour, 0) % 24 ELSE 0 END AS since,
               CASE WHEN t.is_time_of_use AND t.start_hour IS NOT NULL THEN coalesce(t.end_hour, 0) % 24 ELSE 0 END AS until,
               CASE WHEN cardinality(t.applicable_days) > 0 THEN t.applicable_days ELSE '{0,1,2,3,4,5,6}' END AS days
    ) w
    WHERE t.factory_id = p_factory_id AND t.is_active AND t.valid_from <= p_last_day AND coalesce(t.valid_to >= p_first_day, true);
$$;

-- The currency of what the tariffs do not tell: that of the factory's tariffs, the latest first.
CREATE FUNCTION analytics.factory_currency(p_factory_id uuid) RETURNS varchar
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT currency FROM public.energy_tariffs WHERE factory_id = p_factory_id AND is_active AND currency IS NOT NULL
                     ORDER BY valid_from DESC, name LIMIT 1), 'USD');
$$;

-- Energy and cost per tariff and rate.
CREATE FUNCTION analytics.cost_bands(p_factory_id uuid, p_zone text, p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz)
RETURNS TABLE (tariff varchar, rate_per_kwh numeric, currency varchar, energy_kwh numeric, cost numeric, is_default boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- 1970-01-01 was a Thursday: hours of the week are counted from Sunday 00:00.
    thursday CONSTANT int := 4 * 24;
    first_day CONSTANT date := (p_start AT TIME ZONE p_zone)::date;
    last_day CONSTANT date := (p_end AT TIME ZONE p_zone)::date;
    cuts timestamptz[];
    starts timestamptz[];
    ends timestamptz[];
    days date[];
    offsets int[];
    with_hours boolean;
BEGIN
    cuts := ARRAY(
        SELECT analytics.local_midnight(p_zone, day)
        FROM public.energy_tariffs t, unnest(ARRAY[t.valid_from, t.valid_to + 1]) day
        WHERE t.factory_id = p_factory_id AND t.is_active AND day > first_day AND day <= last_day
        UNION ALL SELECT analytics.offset_changes(p_zone, p_start, p_end));
    -- Where clocks differ from UTC by quarters, an hour of ours lies in two of theirs.
    IF cuts = '{}' THEN
        starts := ARRAY[p_start];
        ends := ARRAY[p_end];
        days := ARRAY[first_day];
        offsets := ARRAY[date_part('epoch', (p_start AT TIME ZONE p_zone) - (p_start AT TIME ZONE 'UTC'))::int];
        with_hours := offsets[1] % 3600 = 0;
    ELSE
        SELECT array_agg(p.piece_start), array_agg(p.piece_end), array_agg(p.local_day), array_agg(p.offset_seconds), bool_and(p.offset_seconds % 3600 = 0)
        INTO starts, ends, days, offsets, with_hours
        FROM analytics.pieces(p_zone, p_start, p_end, cuts) p;
    END IF;
    RETURN QUERY
    WITH tariffs AS MATERIALIZED (
        SELECT * FROM analytics.ranked_tariffs(p_factory_id, first_day, last_day)
    ),
    hours AS (
        SELECT p.piece, p.local_day, h.hour_of_week, h.kwh
        FROM unnest(starts, ends, days, offsets) WITH ORDINALITY p (piece_start, piece_end, local_day, offset_seconds, piece)
        CROSS JOIN LATERAL analytics.cut_period(p.piece_start, p.piece_end, with_hours) cut
        CROSS JOIN LATERAL (
            SELECT ((date_part('epoch', e.starts_at)::bigint + p.offset_seconds) / 3600 + thursday) % 168 AS hour_of_week, sum(e.energy_kwh) AS kwh
            FROM analytics.energy_parts(p_machine_ids, p_energy_type, p.piece_start, p.piece_end, cut.first_quarter, cut.first_hour, cut.last_hour, cut.last_quarter) e
            GROUP BY 1
        ) h
    ),
    priced AS (
        SELECT h.hour_of_week % 24 BETWEEN 8 AND 19 AS is_day, h.kwh, min(t.rank) AS rank
        FROM hours h
        LEFT JOIN tariffs t
          ON h.local_day >= t.valid_from AND coalesce(h.local_day <= t.valid_to, true) AND (h.hour_of_week / 24)::int = ANY (t.weekdays)
         AND CASE WHEN t.passes_midnight THEN h.hour_of_week % 24 >= t.start_hour OR h.hour_of_week % 24 < t.end_hour
                  ELSE h.hour_of_week % 24 >= t.start_hour AND h.hour_of_week % 24 < t.end_hour END
        GROUP BY h.piece, h.hour_of_week, h.kwh
    ),
    bands AS (
        SELECT b.rank, CASE WHEN b.rank IS NULL THEN b.is_day END AS is_default_day, sum(b.kwh) AS kwh FROM priced b GROUP BY 1, 2
    )
    SELECT CASE WHEN b.rank IS NOT NULL THEN t.name WHEN b.is_default_day THEN 'default peak' ELSE 'default off-peak' END::varchar,
           price.rate, coalesce(t.currency, analytics.factory_currency(p_factory_id)), b.kwh, b.kwh * price.rate, b.rank IS NULL
    FROM bands b
    LEFT JOIN tariffs t ON t.rank = b.rank
    CROSS JOIN LATERAL (SELECT coalesce(t.rate_per_kwh, CASE WHEN b.is_default_day THEN 0.20 ELSE 0.10 END) AS rate) price
    ORDER BY b.rank NULLS LAST, 1;
END $$;

-- Demand charges: rate × billing peak of each factory-local calendar month, as far as it lies in the period. The rate is that of the
-- tariff which prices the peak's own hour, or else of the first by rank that is valid on its day and has one.
CREATE FUNCTION analytics.demand_charges(p_factory_id uuid, p_zone text, p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz)
RETURNS TABLE (month date, tariff varchar, rate_per_kw numeric, currency varchar, billing_peak_kw numeric, billing_peak_time timestamptz, cost numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    first_day CONSTANT date := (p_start AT TIME ZONE p_zone)::date;
    last_day CONSTANT date := (p_end AT TIME ZONE p_zone)::date;
BEGIN
    IF NOT EXISTS (SELECT FROM public.energy_tariffs t WHERE t.factory_id = p_factory_id AND t.is_active AND t.demand_charge_per_kw IS NOT NULL
                   AND t.valid_from <= last_day AND coalesce(t.valid_to >= first_day, true)) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT m.first_of_month, t.name, t.demand_charge_per_kw, t.currency, peak.power_kw, peak.starts_at, t.demand_charge_per_kw * peak.power_kw
    FROM (SELECT generate_series(date_trunc('month', first_day::timestamp), last_day::timestamp, interval '1 month')::date AS first_of_month) m
    CROSS JOIN LATERAL (SELECT greatest(analytics.local_midnight(p_zone, m.first_of_month), p_start) AS since,
                               least(analytics.local_midnight(p_zone, (m.first_of_month + interval '1 month')::date), p_end) AS until) part
    CROSS JOIN LATERAL analytics.billing_peak(p_machine_ids, p_energy_type, part.since, part.until) peak
    CROSS JOIN LATERAL (SELECT peak.starts_at AT TIME ZONE p_zone AS wall) clock
    CROSS JOIN LATERAL (
        SELECT r.name, r.demand_charge_per_kw, r.currency
        FROM analytics.ranked_tariffs(p_factory_id, clock.wall::date, clock.wall::date) r
        WHERE r.demand_charge_per_kw IS NOT NULL
        ORDER BY date_part('dow', clock.wall)::int = ANY (r.weekdays)
             AND CASE WHEN r.passes_midnight THEN date_part('hour', clock.wall) >= r.start_hour OR date_part('hour', clock.wall) < r.end_hour
                      ELSE date_part('hour', clock.wall) >= r.start_hour AND date_part('hour', clock.wall) < r.end_hour END DESC, r.rank
        LIMIT 1
    ) t
    WHERE part.since < part.until
    ORDER BY 1;
END $$;

-- The factor of a local day: the region's, or else that of the region 'default', or else 0.45 kg per kWh; valid on that day
-- (end date included), the latest valid_from where several are.
CREATE FUNCTION analytics.carbon_factor_of_day(p_region text, p_day date,
    OUT region varchar, OUT kg_per_kwh numeric, OUT valid_from date, OUT valid_to date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT c.region, c.emission_factor_kg_co2_per_kwh, c.valid_from, c.valid_to INTO region, kg_per_kwh, valid_from, valid_to
    FROM public.carbon_factors c
    WHERE c.region IN (p_region, 'default') AND c.is_active AND c.valid_from <= p_day AND coalesce(c.valid_to >= p_day, true)
    ORDER BY c.region = p_region DESC, c.valid_from DESC, c.id LIMIT 1;
    kg_per_kwh := coalesce(kg_per_kwh, 0.45);
END $$;

-- Energy and emissions per factor. The period falls apart where one begins or ends, which it seldom does.
CREATE FUNCTION analytics.carbon_shares(p_zone text, p_region text, p_machine_ids uuid[], p_energy_type varchar, p_start timestamptz, p_end timestamptz, p_energy_kwh numeric)
RETURNS TABLE (region varchar, emission_factor numeric, valid_from date, valid_to date, energy_kwh numeric, co2_kg numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    cuts CONSTANT timestamptz[] := ARRAY(
        SELECT analytics.local_midnight(p_zone, day)
        FROM public.carbon_factors c, unnest(ARRAY[c.valid_from, c.valid_to + 1]) day
        WHERE c.region IN (p_region, 'default') AND c.is_active
          AND day > (p_start AT TIME ZONE p_zone)::date AND day <= (p_end AT TIME ZONE p_zone)::date);
    factor record;
BEGIN
    IF cuts = '{}' THEN
        factor := analytics.carbon_factor_of_day(p_region, (p_start AT TIME ZONE p_zone)::date);
        region := factor.region;
        emission_factor := factor.kg_per_kwh;
        valid_from := factor.valid_from;
        valid_to := factor.valid_to;
        energy_kwh := p_energy_kwh;
        co2_kg := p_energy_kwh * factor.kg_per_kwh;
        RETURN NEXT;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.region, f.kg_per_kwh, f.valid_from, f.valid_to, sum(energy.energy_kwh), sum(energy.energy_kwh) * f.kg_per_kwh
    FROM analytics.pieces(p_zone, p_start, p_end, cuts) part
    CROSS JOIN LATERAL analytics.energy_totals(p_machine_ids, p_energy_type, part.piece_start, part.piece_end) energy
    CROSS JOIN LATERAL analytics.carbon_factor_of_day(p_region, part.local_day) f
    GROUP BY 1, 2, 3, 4 ORDER BY min(part.piece_start);
END $$;
