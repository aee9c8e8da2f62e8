-- What a kWh of electricity cost and emitted in the UTC hours that begin at p_starts, by the rules of 0103: for energy that no reading
-- tells, such as savings. Where clocks differ from UTC by quarters, an hour takes the mean of its quarters; `currency` is null for
-- one in which it changes. No region of a factor is the default 0.45.
CREATE FUNCTION analytics.hourly_rates(p_factory_id uuid, p_zone text, p_starts timestamptz[])
RETURNS TABLE (place bigint, rate_per_kwh numeric, currency text, is_default_rate boolean,
    kg_co2_per_kwh numeric, is_default_factor boolean, is_default_region boolean)
LANGUAGE plpgsql STABLE SET jit = off AS $$
DECLARE
    wanted_region CONSTANT text := coalesce((SELECT f.metadata ->> 'carbon_region' FROM public.factories f WHERE f.id = p_factory_id), 'default');
    default_currency CONSTANT varchar := analytics.factory_currency(p_factory_id);
    first_day date;
    last_day date;
    minutes int[];
BEGIN
    SELECT min(clock.wall)::date, max(clock.wall)::date + 1, CASE WHEN bool_and(date_part('minute', clock.wall) = 0) THEN '{0}' ELSE '{0,15,30,45}' END
    INTO first_day, last_day, minutes
    FROM unnest(p_starts) at, LATERAL (SELECT at AT TIME ZONE p_zone AS wall) clock;
    RETURN QUERY
    WITH tariffs AS MATERIALIZED (
        SELECT * FROM analytics.ranked_tariffs(p_factory_id, first_day, last_day)
    ),
    parts AS MATERIALIZED (
        SELECT s.place, clock.wall::date AS local_day, date_part('dow', clock.wall)::int AS weekday, date_part('hour', clock.wall)::int AS hour
        FROM unnest(p_starts) WITH ORDINALITY s (at, place)
        CROSS JOIN unnest(minutes) minute
        CROSS JOIN LATERAL (SELECT (s.at + make_interval(mins => minute)) AT TIME ZONE p_zone AS wall) clock
    ),
    ranks AS MATERIALIZED (
        SELECT h.local_day, h.hour, min(t.rank) AS rank
        FROM (SELECT DISTINCT p.local_day, p.weekday, p.hour FROM parts p) h
        JOIN tariffs t
          ON h.local_day >= t.valid_from AND coalesce(h.local_day <= t.valid_to, true) AND h.weekday = ANY (t.weekdays)
         AND CASE WHEN t.passes_midnight THEN h.hour >= t.start_hour OR h.hour < t.end_hour ELSE h.hour >= t.start_hour AND h.hour < t.end_hour END
        GROUP BY h.local_day, h.hour
    ),
    factors AS MATERIALIZED (
        SELECT d.local_day, f.region, f.kg_per_kwh
        FROM (SELECT DISTINCT p.local_day FROM parts p) d
        CROSS JOIN LATERAL analytics.carbon_factor_of_day(wanted_region, d.local_day) f
    ),
    rated AS (
        SELECT p.place, t.rank, coalesce(t.rate_per_kwh, CASE WHEN p.hour BETWEEN 8 AND 19 THEN 0.20 ELSE 0.10 END) AS rate,
               coalesce(t.currency, default_currency) AS currency, f.region, f.kg_per_kwh
        FROM parts p
        JOIN factors f ON f.local_day = p.local_day
        LEFT JOIN ranks r ON r.local_day = p.local_day AND r.hour = p.hour
        LEFT JOIN tariffs t ON t.rank = r.rank
    )
    SELECT r.place, avg(r.rate), CASE WHEN min(r.currency) = max(r.currency) THEN min(r.currency) END::text, bool_or(r.rank IS NULL),
           avg(r.kg_per_kwh), bool_or(r.region IS NULL), bool_or(coalesce(r.region <> wanted_region, false))
    FROM rated r GROUP BY r.place;
END $$;
