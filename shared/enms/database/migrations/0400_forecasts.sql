-- Forecasts: trained forecasters by version, and what they foretold, kept beside what came.

CREATE TABLE analytics.forecast_models (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id          uuid REFERENCES public.machines ON DELETE CASCADE,
    factory_id          uuid REFERENCES public.factories ON DELETE CASCADE,
    subject_id          uuid NOT NULL GENERATED ALWAYS AS (coalesce(machine_id, factory_id)) STORED,
    energy_type         varchar(50) NOT NULL,
    horizon             text NOT NULL CHECK (horizon IN ('1h', '24h', '7d', '7d-hourly')),
    version             int NOT NULL,
    artifact_key        text NOT NULL,
    artifact_sha256     text NOT NULL,
    is_active           boolean NOT NULL,
    chosen              text[] NOT NULL,        -- members of what serves
    reason              text NOT NULL,          -- why these, in words
    choices             text[] NOT NULL,        -- what may be asked for: 'selected', 'prophet', …
    backtest            jsonb NOT NULL,         -- {origins, scale_kw, models: […]}
    regressors          text[] NOT NULL,
    regressors_left_out jsonb NOT NULL,         -- name → why
    days_of_history     double precision NOT NULL,
    share_of_readings   double precision NOT NULL CHECK (share_of_readings BETWEEN 0 AND 1),
    trained_from        timestamptz NOT NULL,
    trained_to          timestamptz NOT NULL,
    trained_by          text NOT NULL,
    run_id              uuid,                   -- of the job that did it
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (subject_id, energy_type, horizon, version),
    CHECK (num_nonnulls(machine_id, factory_id) = 1),
    CHECK (trained_to > trained_from)
);
CREATE UNIQUE INDEX forecast_models_one_active ON analytics.forecast_models (subject_id, energy_type, horizon) WHERE is_active;
CREATE INDEX forecast_models_of_machine ON analytics.forecast_models (machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX forecast_models_of_factory ON analytics.forecast_models (factory_id) WHERE factory_id IS NOT NULL;

-- One forecast each: arrays have an element a step, which begins at starts_at; the last one ends at ends_at.
CREATE TABLE analytics.forecast_issues (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id            uuid REFERENCES analytics.forecast_models ON DELETE CASCADE,  -- null: too short a history for a model
    machine_id          uuid REFERENCES public.machines ON DELETE CASCADE,
    factory_id          uuid REFERENCES public.factories ON DELETE CASCADE,
    subject_id          uuid NOT NULL GENERATED ALWAYS AS (coalesce(machine_id, factory_id)) STORED,
    energy_type         varchar(50) NOT NULL,
    horizon             text NOT NULL CHECK (horizon IN ('1h', '24h', '7d', '7d-hourly')),
    choice              text NOT NULL,
    made_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by             text NOT NULL,
    origin_at           timestamptz NOT NULL,
    ends_at             timestamptz NOT NULL,
    step_seconds        int NOT NULL,
    starts_at           timestamptz[] NOT NULL,
    power_kw            float8[] NOT NULL,
    lower_80_kw         float8[] NOT NULL,
    upper_80_kw         float8[] NOT NULL,
    lower_95_kw         float8[] NOT NULL,
    upper_95_kw         float8[] NOT NULL,
    naive_kw            float8[] NOT NULL,      -- of the better seasonal naive; NaN where it knows nothing
    scale_kw            double precision,       -- what errors are divided by for MASE; null without any
    peak_at             timestamptz NOT NULL,
    peak_power_kw       double precision NOT NULL,
    peak_quantiles_kw   float8[] NOT NULL,      -- at 1 to 99 %
    members             text[] NOT NULL,
    regressors          text[] NOT NULL,
    regressors_left_out jsonb NOT NULL DEFAULT '{}',  -- name → why
    notes               jsonb NOT NULL,
    days_of_history     double precision NOT NULL,
    share_of_readings   double precision NOT NULL,
    actual_kw           float8[],               -- what came, NaN where nobody knows; null before it is over
    scored_at           timestamptz,            -- null as long as more may come
    UNIQUE (subject_id, energy_type, horizon, choice, origin_at),
    CHECK (num_nonnulls(machine_id, factory_id) = 1),
    CHECK (ends_at > origin_at),
    CHECK (cardinality(starts_at) > 0
        AND cardinality(power_kw) = cardinality(starts_at) AND cardinality(naive_kw) = cardinality(starts_at)
        AND cardinality(lower_80_kw) = cardinality(starts_at) AND cardinality(upper_80_kw) = cardinality(starts_at)
        AND cardinality(lower_95_kw) = cardinality(starts_at) AND cardinality(upper_95_kw) = cardinality(starts_at)
        AND (actual_kw IS NULL OR cardinality(actual_kw) = cardinality(starts_at)))
);
CREATE INDEX forecast_issues_to_score ON analytics.forecast_issues (horizon, ends_at) WHERE scored_at IS NULL;
CREATE INDEX forecast_issues_of_model ON analytics.forecast_issues (model_id);
CREATE INDEX forecast_issues_of_machine ON analytics.forecast_issues (machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX forecast_issues_of_factory ON analytics.forecast_issues (factory_id) WHERE factory_id IS NOT NULL;
