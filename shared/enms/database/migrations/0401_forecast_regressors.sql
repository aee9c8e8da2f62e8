-- What is known of times to come, and moves a load: production schedules, outdoor temperatures, planned stops.

-- Periods of one name and subject never overlap: what is received for a period takes the place of what was there.
CREATE TABLE analytics.forecast_regressors (
    factory_id  uuid NOT NULL REFERENCES public.factories ON DELETE CASCADE,
    machine_id  uuid REFERENCES public.machines ON DELETE CASCADE,  -- null: of the whole factory
    subject_id  uuid NOT NULL GENERATED ALWAYS AS (coalesce(machine_id, factory_id)) STORED,
    name        text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('schedule', 'temperature', 'planned_stop', 'other')),
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL,
    value       double precision NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),
    received_at timestamptz NOT NULL,
    source      text,
    PRIMARY KEY (subject_id, name, start_at),
    CHECK (end_at > start_at)
);
CREATE INDEX forecast_regressors_of_period ON analytics.forecast_regressors (subject_id, end_at);
CREATE INDEX forecast_regressors_of_machine ON analytics.forecast_regressors (machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX forecast_regressors_of_factory ON analytics.forecast_regressors (factory_id);
