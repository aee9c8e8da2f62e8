-- Whatever is written to the fact tables, by whomever, brings the aggregates up to date in the same transaction. The triggers act
-- with our rights: the platform's writers need none on the schema `analytics`.

-- Changed rows of one machine and carrier (empty for facts without one) inside one hour.
CREATE TYPE analytics.changed_hour AS (machine_id uuid, energy_type text, first_at timestamptz, last_at timestamptz);

-- A statement that touches far-apart ends of the history must not refresh what lies between: changes more than six hours apart
-- are stretches of their own. The order is the same for everyone, so that two writers can't wait for each other.
CREATE FUNCTION analytics.changed_stretches(p_hours analytics.changed_hour[]) RETURNS SETOF analytics.changed_hour
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH marked AS (
        SELECT h.*, CASE WHEN h.first_at - lag(h.last_at) OVER o <= interval '6 hours' THEN 0 ELSE 1 END AS is_start
        FROM unnest(p_hours) h WINDOW o AS (PARTITION BY h.machine_id, h.energy_type ORDER BY h.first_at)
    ),
    numbered AS (
        SELECT m.*, sum(m.is_start) OVER (PARTITION BY m.machine_id, m.energy_type ORDER BY m.first_at) AS stretch FROM marked m
    )
    SELECT n.machine_id, n.energy_type, min(n.first_at), max(n.last_at)
    FROM numbered n GROUP BY n.machine_id, n.energy_type, n.stretch ORDER BY n.machine_id, n.energy_type, n.stretch;
END;

-- The rows lie in the transition table `changed`, for an update also in `former`.
CREATE FUNCTION analytics.energy_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hours analytics.changed_hour[];
    stretch analytics.changed_hour;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE analytics.energy_15min, analytics.energy_1hour;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(h) INTO hours FROM (
            SELECT r.machine_id, r.energy_type, min(r.time), max(r.time)
            FROM (SELECT machine_id, energy_type, time FROM changed UNION ALL SELECT machine_id, energy_type, time FROM former) r
            GROUP BY r.machine_id, r.energy_type, analytics.hour_of(r.time)) h;
    ELSE
        SELECT array_agg(h) INTO hours FROM (
            SELECT machine_id, energy_type, min(time), max(time) FROM changed GROUP BY machine_id, energy_type, analytics.hour_of(time)) h;
    END IF;
    FOR stretch IN SELECT * FROM analytics.changed_stretches(hours) LOOP
        PERFORM analytics.refresh_energy(stretch.machine_id, stretch.energy_type, stretch.first_at, stretch.last_at);
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION analytics.production_or_environment_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_production CONSTANT boolean := TG_TABLE_NAME = 'production_data';
    hours analytics.changed_hour[];
    stretch analytics.changed_hour;
BEGIN
    IF TG_OP = 'TRUNCATE' AND is_production THEN
        TRUNCATE analytics.production_15min, analytics.production_1hour;
        RETURN NULL;
    ELSIF TG_OP = 'TRUNCATE' THEN
        TRUNCATE analytics.environment_15min, analytics.environment_1hour;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(h) INTO hours FROM (
            SELECT r.machine_id, '', min(r.time), max(r.time)
            FROM (SELECT machine_id, time FROM changed UNION ALL SELECT machine_id, time FROM former) r
            GROUP BY r.machine_id, analytics.hour_of(r.time)) h;
    ELSE
        SELECT array_agg(h) INTO hours FROM (
            SELECT machine_id, '', min(time), max(time) FROM changed GROUP BY machine_id, analytics.hour_of(time)) h;
    END IF;
    FOR stretch IN SELECT * FROM analytics.changed_stretches(hours) LOOP
        IF is_production THEN
            PERFORM analytics.refresh_production(stretch.machine_id, stretch.first_at, stretch.last_at);
        ELSE
            PERFORM analytics.refresh_environment(stretch.machine_id, stretch.first_at, stretch.last_at);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Everything of one machine, a month at a time: memory stays flat however long the history is.
CREATE FUNCTION analytics.refresh_machine_energy(p_machine_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    carrier record;
    month_start timestamptz;
BEGIN
    FOR carrier IN
        SELECT e.energy_type, min(e.time) AS first, max(e.time) AS last
        FROM public.energy_readings e WHERE e.machine_id = p_machine_id GROUP BY e.energy_type ORDER BY e.energy_type
    LOOP
        FOR month_start IN SELECT generate_series(carrier.first, carrier.last, interval '30 days') LOOP
            PERFORM analytics.refresh_energy(p_machine_id, carrier.energy_type, month_start, month_start + interval '30 days');
        END LOOP;
    END LOOP;
END $$;

CREATE FUNCTION analytics.refresh_machine(p_machine_id uuid) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT analytics.refresh_machine_energy(p_machine_id);
    SELECT analytics.refresh_production(p_machine_id, r.first, r.last)
    FROM (SELECT min(d.time) AS first, max(d.time) AS last FROM public.production_data d WHERE d.machine_id = p_machine_id) r WHERE r.first IS NOT NULL;
    SELECT analytics.refresh_environment(p_machine_id, r.first, r.last)
    FROM (SELECT min(d.time) AS first, max(d.time) AS last FROM public.environmental_data d WHERE d.machine_id = p_machine_id) r WHERE r.first IS NOT NULL;
END;

-- The judgement of readings rests on these two columns.
CREATE FUNCTION analytics.machine_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM analytics.refresh_machine_energy(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER enms_refresh AFTER UPDATE OF data_interval_seconds, rated_power_kw ON public.machines
    FOR EACH ROW WHEN ((OLD.data_interval_seconds, OLD.rated_power_kw) IS DISTINCT FROM (NEW.data_interval_seconds, NEW.rated_power_kw))
    EXECUTE FUNCTION analytics.machine_changed();

-- TimescaleDB's hypertables carry no triggers with transition tables: they are brought up to date when they are read.
CREATE FUNCTION analytics.is_hypertable(p_table name) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_one boolean := false;
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM timescaledb_information.hypertables WHERE hypertable_schema = ''public'' AND hypertable_name = $1)'
            INTO is_one USING p_table;
    END IF;
    RETURN is_one;
END $$;

-- To be called before aggregates of a machine are read; does nothing where triggers keep them. What is older than a day before
-- the newest bucket counts as settled: later corrections there need analytics.refresh_machine.
CREATE FUNCTION analytics.catch_up(p_machine_id uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    settled timestamptz;
    carrier varchar;
BEGIN
    IF NOT analytics.is_hypertable('energy_readings') THEN
        RETURN;
    END IF;
    SELECT coalesce(max(bucket) - interval '1 day', '-infinity') INTO settled FROM analytics.energy_15min WHERE machine_id = p_machine_id;
    FOR carrier IN SELECT DISTINCT energy_type FROM public.energy_readings WHERE machine_id = p_machine_id AND time >= settled ORDER BY 1 LOOP
        PERFORM analytics.refresh_energy(p_machine_id, carrier, settled, 'infinity');
    END LOOP;
    PERFORM analytics.refresh_production(p_machine_id, settled, 'infinity');
    PERFORM analytics.refresh_environment(p_machine_id, settled, 'infinity');
END $$;

DO $$
DECLARE
    fact record;
BEGIN
    FOR fact IN SELECT * FROM (VALUES
        ('energy_readings', 'energy_changed'),
        ('production_data', 'production_or_environment_changed'),
        ('environmental_data', 'production_or_environment_changed')) facts (name, function)
        WHERE NOT analytics.is_hypertable(facts.name)
    LOOP
        EXECUTE format('CREATE TRIGGER enms_inserted AFTER INSERT ON public.%I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION analytics.%I()', fact.name, fact.function);
        EXECUTE format('CREATE TRIGGER enms_updated AFTER UPDATE ON public.%I REFERENCING NEW TABLE AS changed OLD TABLE AS former
                        FOR EACH STATEMENT EXECUTE FUNCTION analytics.%I()', fact.name, fact.function);
        EXECUTE format('CREATE TRIGGER enms_deleted AFTER DELETE ON public.%I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION analytics.%I()', fact.name, fact.function);
        EXECUTE format('CREATE TRIGGER enms_truncated AFTER TRUNCATE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION analytics.%I()', fact.name, fact.function);
    END LOOP;
END $$;

-- What was there before us.
DO $$
BEGIN
    IF coalesce(current_setting('analytics.skip_backfill', true), '') <> 'on' THEN
        PERFORM analytics.refresh_machine(m.id) FROM public.machines m;
    END IF;
END $$;
