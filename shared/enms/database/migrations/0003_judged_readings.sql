-- How one reading is judged: by its own values, its neighbours of the same machine and carrier, and the machine's interval and
-- rated power. Nothing else counts, so that judging any range gives the same result for each of its rows.

-- The carrier's name in energy_sources.
CREATE FUNCTION analytics.energy_source_name(p_energy_type varchar) RETURNS varchar
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_energy_type WHEN 'electrical' THEN 'electricity' ELSE p_energy_type END;

-- Refused are negative increments, values that are no numbers, and a row that was sent again: the former row's values after
-- less than half the time that this energy takes at this power. (A constant load repeats its values at its own pace.)
CREATE FUNCTION analytics.is_refused(
    p_power_kw numeric, p_energy_kwh numeric, p_former_power_kw numeric, p_former_energy_kwh numeric, p_gap interval
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_energy_kwh < 0 OR p_energy_kwh = 'NaN' OR p_power_kw = 'NaN'
    OR coalesce(p_energy_kwh = p_former_energy_kwh AND p_power_kw = p_former_power_kw AND p_power_kw > 0
                AND 2 * extract(epoch FROM p_gap) * p_power_kw < 3600 * p_energy_kwh, false);

-- The part of an energy that lies evenly over [starts, ends) which falls into [from, to). Parts of adjacent pieces add up to the
-- whole exactly, because each is the difference of two rounded cumulative values.
CREATE FUNCTION analytics.energy_share(
    p_energy_kwh numeric, p_starts_at timestamptz, p_ends_at timestamptz, p_from timestamptz, p_to timestamptz
) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(p_energy_kwh * extract(epoch FROM least(greatest(p_to, p_starts_at), p_ends_at) - p_starts_at)
             / extract(epoch FROM p_ends_at - p_starts_at), 6)
     - round(p_energy_kwh * extract(epoch FROM least(greatest(p_from, p_starts_at), p_ends_at) - p_starts_at)
             / extract(epoch FROM p_ends_at - p_starts_at), 6);

-- The fifth accepted reading before, or after, an instant; infinite where there are fewer. Five are more than any rule looks at.
-- Twelve rows nearly always hold them, and the index gives those at once.
CREATE FUNCTION analytics.fifth_reading_before(p_machine_id uuid, p_energy_type varchar, p_before timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    (
        SELECT r.time
        FROM (SELECT e.time, lead(e.time) OVER o AS former,
                     analytics.is_refused(e.power_kw, e.energy_kwh, lead(e.power_kw) OVER o, lead(e.energy_kwh) OVER o, e.time - lead(e.time) OVER o) AS is_refused
              FROM (SELECT e.time, e.power_kw, e.energy_kwh FROM public.energy_readings e
              WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type AND e.time < p_before
              ORDER BY e.time DESC LIMIT 12) e
              WINDOW o AS (ORDER BY e.time DESC)) r
        WHERE NOT r.is_refused AND r.former IS NOT NULL ORDER BY r.time DESC OFFSET 4 LIMIT 1),
    (
        SELECT r.time
        FROM (SELECT e.time, lead(e.time) OVER o AS former,
                     analytics.is_refused(e.power_kw, e.energy_kwh, lead(e.power_kw) OVER o, lead(e.energy_kwh) OVER o, e.time - lead(e.time) OVER o) AS is_refused
              FROM (SELECT e.time, e.power_kw, e.energy_kwh FROM public.energy_readings e
              WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type AND e.time < p_before
              ORDER BY e.time DESC) e
              WINDOW o AS (ORDER BY e.time DESC)) r
        WHERE NOT r.is_refused ORDER BY r.time DESC OFFSET 4 LIMIT 1),
    '-infinity');

CREATE FUNCTION analytics.fifth_reading_after(p_machine_id uuid, p_energy_type varchar, p_after timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    (
        SELECT r.time
        FROM (SELECT e.time, lag(e.time) OVER o AS former,
                     analytics.is_refused(e.power_kw, e.energy_kwh, lag(e.power_kw) OVER o, lag(e.energy_kwh) OVER o, e.time - lag(e.time) OVER o) AS is_refused
              FROM (SELECT e.time, e.power_kw, e.energy_kwh FROM public.energy_readings e
              WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type AND e.time > p_after
              ORDER BY e.time LIMIT 12) e
              WINDOW o AS (ORDER BY e.time)) r
        WHERE NOT r.is_refused ORDER BY r.time OFFSET 4 LIMIT 1),
    (
        SELECT r.time
        FROM (SELECT e.time, lag(e.time) OVER o AS former,
                     analytics.is_refused(e.power_kw, e.energy_kwh, lag(e.power_kw) OVER o, lag(e.energy_kwh) OVER o, e.time - lag(e.time) OVER o) AS is_refused
              FROM (SELECT e.time, e.power_kw, e.energy_kwh FROM public.energy_readings e
              WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type AND e.time > p_after
              ORDER BY e.time) e
              WINDOW o AS (ORDER BY e.time)) r
        WHERE NOT r.is_refused ORDER BY r.time OFFSET 4 LIMIT 1),
    'infinity');

-- The interval at which a machine is expected to report.
CREATE FUNCTION analytics.reading_interval(p_machine_id uuid) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
RETURN make_interval(secs => coalesce((SELECT greatest(m.data_interval_seconds, 1) FROM public.machines m WHERE m.id = p_machine_id), 10));

-- Every reading that touches [from, to), judged.
--   is_refused     counts nothing
--   is_spread      a catch-up row: the energy of an outage in one row
--   starts_at, ends_at  where its energy lies evenly: for a catch-up row over its gap, else over the time that it stands for
--   covered_until  the end of what it covers, from `time`
CREATE FUNCTION analytics.judged_readings(p_machine_id uuid, p_energy_type varchar, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (
    "time" timestamptz, power_kw numeric, energy_kwh numeric, is_estimated boolean, is_refused boolean, is_spread boolean,
    starts_at timestamptz, ends_at timestamptz, covered_until timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH machine AS MATERIALIZED (
        SELECT i.width, 3 * i.width AS long_gap,
               CASE WHEN p_energy_type = 'electrical' THEN (SELECT m.rated_power_kw FROM public.machines m WHERE m.id = p_machine_id) END AS rated_kw,
               analytics.fifth_reading_before(p_machine_id, p_energy_type, p_from - i.width) AS context_from,
               analytics.fifth_reading_after(p_machine_id, p_energy_type, p_to) AS context_to
        FROM (SELECT analytics.reading_interval(p_machine_id) AS width) i
    ),
    raw AS (
        SELECT e.time, e.power_kw, e.energy_kwh, coalesce(e.is_estimated, false) AS is_estimated,
               analytics.is_refused(e.power_kw, e.energy_kwh, lag(e.power_kw) OVER former, lag(e.energy_kwh) OVER former,
                                    e.time - lag(e.time) OVER former) AS is_refused
        FROM public.energy_readings e
        WHERE e.machine_id = p_machine_id AND e.energy_type = p_energy_type
          AND e.time >= (SELECT context_from FROM machine) AND e.time <= (SELECT context_to FROM machine)
        WINDOW former AS (ORDER BY e.time)
    ),
    -- Refused rows are nobody's neighbours. (OFFSET 0 below: each step computed once, not once per use.)
    placed AS (
        SELECT r.*, lag(r.time, 2) OVER o AS time_before_former, lag(r.time) OVER o AS former, lead(r.time) OVER o AS next, lead(r.time, 2) OVER o AS time_after_next
        FROM raw r WINDOW o AS (PARTITION BY r.is_refused ORDER BY r.time)
    ),
    spaced AS (
        SELECT p.*, m.width, m.long_gap, m.rated_kw,
               CASE WHEN p.time - p.former > m.long_gap
                    THEN greatest(m.width, least(p.former - p.time_before_former, p.next - p.time)) END AS spacing_after_gap
        FROM placed p CROSS JOIN machine m
        OFFSET 0
    ),
    judged AS (
        SELECT s.*,
               coalesce(NOT s.is_refused AND s.spacing_after_gap IS NOT NULL AND s.time - s.former > 3 * s.spacing_after_gap
                   AND (s.energy_kwh > 3 * s.power_kw * extract(epoch FROM s.spacing_after_gap) / 3600
                        OR coalesce(s.energy_kwh > 1.5 * s.rated_kw * extract(epoch FROM s.spacing_after_gap) / 3600, false))
                   AND coalesce(s.energy_kwh <= 1.5 * s.rated_kw * extract(epoch FROM s.time - s.former) / 3600, true), false) AS is_spread
        FROM spaced s
        OFFSET 0
    ),
    extended AS (
        SELECT j.time, j.power_kw, j.energy_kwh, j.is_estimated, j.is_refused, j.is_spread,
               CASE WHEN j.is_refused THEN NULL WHEN j.is_spread THEN j.former + j.spacing_after_gap ELSE j.time END AS starts_at,
               CASE WHEN j.is_refused THEN NULL
                    WHEN j.is_spread THEN j.time + j.spacing_after_gap
                    WHEN j.former IS NULL THEN j.time + least(j.next - j.time, greatest(j.width, j.time_after_next - j.next))
                    WHEN j.next IS NULL THEN j.time + least(j.time - j.former, greatest(j.width, j.former - j.time_before_former))
                    ELSE least(j.next, j.time + 2 * (j.time - j.former)) END AS ends_at,
               CASE WHEN j.is_refused THEN NULL
                    WHEN p_energy_type = 'electrical' AND j.next IS NULL THEN j.time + j.width
                    WHEN p_energy_type = 'electrical' THEN least(j.next, j.time + j.long_gap)
                    WHEN j.next IS NULL THEN j.time + greatest(j.width, least(j.time - j.former, j.former - j.time_before_former))
                    WHEN j.former IS NULL THEN least(j.next, j.time + 3 * greatest(j.width, least(j.next - j.time, j.time_after_next - j.next)))
                    ELSE least(j.next, j.time + 3 * greatest(j.width, least(j.time - j.former, j.next - j.time))) END AS covered_until
        FROM judged j
        OFFSET 0
    )
    SELECT x.time, x.power_kw, x.energy_kwh, x.is_estimated, x.is_refused, x.is_spread, x.starts_at, x.ends_at, x.covered_until
    FROM extended x
    WHERE least(x.time, x.starts_at) < p_to AND greatest(x.ends_at, x.covered_until, x.time + interval '1 microsecond') > p_from;
END;
