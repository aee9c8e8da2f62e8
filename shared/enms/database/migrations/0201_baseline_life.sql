-- What a baseline of ours has beside the contract's columns, who did what with it and why, and adjustments for what no baseline knows.

-- An installed platform keeps the carrier as energy_source_id, a database of ours as energy_type: both get both.
ALTER TABLE public.energy_baselines
    ADD COLUMN IF NOT EXISTS energy_type      varchar(50),
    ADD COLUMN IF NOT EXISTS energy_source_id uuid REFERENCES public.energy_sources ON DELETE SET NULL,
    ADD COLUMN IF NOT EXISTS artifact_key     text,             -- where the model lies; null for a row that isn't ours
    ADD COLUMN IF NOT EXISTS artifact_sha256  text,             -- of its bytes
    ADD COLUMN IF NOT EXISTS verdict          text CHECK (verdict IN ('valid', 'caution', 'rejected')),
    ADD COLUMN IF NOT EXISTS "interval"       text CHECK ("interval" IN ('hour', 'day')),
    ADD CONSTRAINT energy_baselines_artifact_whole CHECK (num_nulls(artifact_key, artifact_sha256, verdict, "interval") IN (0, 4));

-- The carrier under either name, for rows that a platform writes itself too.
CREATE FUNCTION analytics.name_carrier() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.energy_source_id IS NULL THEN
        SELECT s.id INTO NEW.energy_source_id FROM public.energy_sources s WHERE s.name = analytics.energy_source_name(NEW.energy_type);
    ELSIF TG_OP = 'UPDATE' OR NEW.energy_type IS NULL THEN
        SELECT CASE WHEN s.name = analytics.energy_source_name('electrical') THEN 'electrical' ELSE s.name END
        INTO NEW.energy_type FROM public.energy_sources s WHERE s.id = NEW.energy_source_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enms_name_carrier BEFORE INSERT OR UPDATE OF energy_source_id ON public.energy_baselines
    FOR EACH ROW EXECUTE FUNCTION analytics.name_carrier();
UPDATE public.energy_baselines SET energy_source_id = energy_source_id;

-- Whatever happens, no machine and carrier has two models in use.
CREATE UNIQUE INDEX energy_baselines_one_active ON public.energy_baselines (machine_id, energy_type) WHERE is_active AND artifact_sha256 IS NOT NULL;

CREATE TABLE analytics.baseline_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    baseline_id uuid NOT NULL REFERENCES public.energy_baselines ON DELETE CASCADE,
    event       text NOT NULL CHECK (event IN ('trained', 'activated', 'deactivated')),
    actor       text NOT NULL,
    reason      text,
    run_id      uuid,                           -- of the job that did it
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX baseline_events_of_baseline ON analytics.baseline_events (baseline_id, id);

-- Energy used for a reason outside the baseline: kwh_per_hour more than without it (less, where negative), in [start_at, end_at) or
-- from start_at on. A proposal that was refused is kept, so that it isn't made again.
CREATE TABLE analytics.baseline_adjustments (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id   uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type  varchar(50) NOT NULL,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz,
    kwh_per_hour numeric NOT NULL CHECK (kwh_per_hour > '-Infinity' AND kwh_per_hour < 'Infinity'),
    reason       text NOT NULL,
    decision     text NOT NULL CHECK (decision IN ('accepted', 'refused')),
    actor        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    withdrawn_by text,
    CHECK (end_at > start_at),
    CHECK (num_nulls(withdrawn_at, withdrawn_by) IN (0, 2))
);
CREATE INDEX baseline_adjustments_of_machine ON analytics.baseline_adjustments (machine_id, energy_type, start_at);
