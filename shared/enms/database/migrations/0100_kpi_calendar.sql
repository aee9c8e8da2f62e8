-- The factory's calendar: zones, local days, and how a half-open period falls apart into whole hours, quarters and ragged ends.

-- A zone that PostgreSQL knows: what was given, or UTC where nothing or nothing valid was.
CREATE FUNCTION analytics.valid_zone(p_zone text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE p_zone;
    RETURN coalesce(p_zone, 'UTC');
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END $$;

CREATE FUNCTION analytics.factory_zone(p_factory_id uuid) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT analytics.valid_zone((SELECT timezone FROM public.factories WHERE id = p_factory_id));
$$;

-- The first instant of a local day. Where clocks go back over midnight, PostgreSQL takes the second 00:00 for it; where
-- they skip it, the day begins when they jump.
CREATE FUNCTION analytics.local_midnight(p_zone text, p_day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN ((midnight - interval '1 hour') AT TIME ZONE p_zone)::date = p_day THEN midnight - interval '1 hour' ELSE midnight END
    FROM (SELECT p_day::timestamp AT TIME ZONE p_zone AS midnight) d;
$$;

-- Where the parts of a period begin and end: raw rows in [start, first_quarter), quarters in [first_quarter, first_hour), hours in
-- [first_hour, last_hour), quarters in [last_hour, last_quarter), raw rows in [last_quarter, end). A period inside one quarter is raw alone.
CREATE FUNCTION analytics.cut_period(p_start timestamptz, p_end timestamptz, p_with_hours boolean,
    OUT first_quarter timestamptz, OUT first_hour timestamptz, OUT last_hour timestamptz, OUT last_quarter timestamptz)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    origin CONSTANT timestamptz := '2000-01-01 00:00+00';
BEGIN
    first_quarter := date_bin('15 minutes', p_start + interval '899.999999 seconds', origin);
    last_quarter := date_bin('15 minutes', p_end, origin);
    IF first_quarter > last_quarter THEN
        first_quarter := p_end;
        last_quarter := p_end;
    END IF;
    first_hour := date_bin('1 hour', first_quarter + interval '3599.999999 seconds', origin);
    last_hour := date_bin('1 hour', last_quarter, origin);
    IF first_hour >= last_hour OR NOT p_with_hours THEN
        first_hour := last_quarter;
        last_hour := last_quarter;
    END IF;
END $$;

-- The instants in (start, end) at which a zone's offset from UTC changes; all that are in use fall on quarters.
-- No zone leaves its offset and returns to it within three weeks (the shortest are the clocks of Ramadan).
CREATE FUNCTION analytics.offset_changes(p_zone text, p_start timestamptz, p_end timestamptz) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE ROWS 2 AS $$
BEGIN
    IF p_end - p_start < interval '21 days'
        AND (p_start AT TIME ZONE p_zone) - (p_start AT TIME ZONE 'UTC') = (p_end AT TIME ZONE p_zone) - (p_end AT TIME ZONE 'UTC') THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH probes AS (
        SELECT t, (t AT TIME ZONE p_zone) - (t AT TIME ZONE 'UTC') AS utc_offset
        FROM (SELECT generate_series(p_start, p_end, interval '1 day') UNION SELECT p_end) probe (t)
    ),
    steps AS (
        SELECT t AS after, lead(t) OVER o AS before, utc_offset, lead(utc_offset) OVER o AS next_offset FROM probes WINDOW o AS (ORDER BY t)
    )
    SELECT min(quarter)
    FROM steps
    CROSS JOIN LATERAL generate_series(date_bin('15 minutes', after, '2000-01-01 00:00+00') + interval '15 minutes', before, interval '15 minutes') quarter
    WHERE utc_offset <> next_offset AND (quarter AT TIME ZONE p_zone) - (quarter AT TIME ZONE 'UTC') = next_offset
    GROUP BY after;
END $$;

-- A period cut at the given instants, with the local day and the offset from UTC at the start of each piece.
CREATE FUNCTION analytics.pieces(p_zone text, p_start timestamptz, p_end timestamptz, p_cuts timestamptz[])
RETURNS TABLE (piece_start timestamptz, piece_end timestamptz, local_day date, offset_seconds int)
LANGUAGE sql STABLE AS $$
    SELECT cut, lead(cut, 1, p_end) OVER (ORDER BY cut), (cut AT TIME ZONE p_zone)::date,
           date_part('epoch', (cut AT TIME ZONE p_zone) - (cut AT TIME ZONE 'UTC'))::int
    FROM (SELECT p_start UNION SELECT unnest(p_cuts)) cuts (cut)
    WHERE cut >= p_start AND cut < p_end;
$$;
