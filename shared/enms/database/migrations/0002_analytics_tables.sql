-- Tables of ours: exact aggregates, the account of jobs, daily KPIs, the demo's ground truth.

-- What one machine used of one carrier in the 15 minutes from `bucket` (aligned to UTC). Kept equal to the raw rows by
-- analytics.refresh_energy. Energy in kWh or the carrier's own unit.
CREATE TABLE analytics.energy_15min (
    machine_id      uuid NOT NULL,
    energy_type     varchar(50) NOT NULL,
    bucket          timestamptz NOT NULL,
    energy_kwh      numeric NOT NULL,           -- accepted energy, the spread share included
    spread_kwh      numeric NOT NULL,           -- of it: from catch-up rows, spread over their gaps (estimated)
    readings        int NOT NULL,               -- raw rows in the bucket, whatever became of them
    refused         int NOT NULL,               -- of them: negative, not a number, or repeated; they count nothing
    spread_readings int NOT NULL,               -- of them: catch-up rows
    estimated       int NOT NULL,               -- of them: marked is_estimated, or catch-up rows
    covered_seconds numeric NOT NULL,           -- time inside the bucket that readings stand for
    power_sum_kw    numeric,                    -- of accepted rows that are no catch-up, as are the four below
    min_power_kw    numeric,
    max_power_kw    numeric,
    min_energy_kwh  numeric,
    max_energy_kwh  numeric,
    billing_kw      numeric NOT NULL,           -- average measured power over the bucket; spread energy is not measured
    best_window_kw  numeric NOT NULL,           -- largest average over any 15 minutes that start in the bucket
    best_window_at  timestamptz NOT NULL,       -- when those begin
    avg_power_kw    numeric GENERATED ALWAYS AS (power_sum_kw / nullif(readings - refused - spread_readings, 0)) STORED,
    is_flat         boolean NOT NULL GENERATED ALWAYS AS (
        readings - refused - spread_readings >= 4
        AND coalesce(min_power_kw = max_power_kw AND min_power_kw <> 0 AND min_energy_kwh = max_energy_kwh, false)) STORED,
    PRIMARY KEY (machine_id, energy_type, bucket)
);
-- The same per hour, added up from the quarters; billing_kw is the largest of them.
CREATE TABLE analytics.energy_1hour (LIKE analytics.energy_15min INCLUDING ALL);

CREATE TABLE analytics.production_15min (
    machine_id             uuid NOT NULL,
    bucket                 timestamptz NOT NULL,
    production_count       bigint NOT NULL,
    production_count_good  bigint NOT NULL,
    production_count_bad   bigint NOT NULL,
    downtime_seconds       bigint NOT NULL,
    throughput_sum         numeric,             -- of units per hour, over throughput_readings rows that tell it
    throughput_readings    int NOT NULL,
    speed_percent_sum      numeric,
    speed_percent_readings int NOT NULL,
    readings               int NOT NULL,
    PRIMARY KEY (machine_id, bucket)
);
CREATE TABLE analytics.production_1hour (LIKE analytics.production_15min INCLUDING ALL);

-- Sums and the number of rows that had the value: averages of any longer period follow exactly.
CREATE TABLE analytics.environment_15min (
    machine_id                uuid NOT NULL,
    bucket                    timestamptz NOT NULL,
    outdoor_temp_sum          numeric,
    outdoor_temp_readings     int NOT NULL,
    indoor_temp_sum           numeric,
    indoor_temp_readings      int NOT NULL,
    machine_temp_sum          numeric,
    machine_temp_readings     int NOT NULL,
    outdoor_humidity_sum      numeric,
    outdoor_humidity_readings int NOT NULL,
    indoor_humidity_sum       numeric,
    indoor_humidity_readings  int NOT NULL,
    pressure_sum              numeric,
    pressure_readings         int NOT NULL,
    flow_rate_sum             numeric,
    flow_rate_readings        int NOT NULL,
    vibration_sum             numeric,
    vibration_readings        int NOT NULL,
    readings                  int NOT NULL,
    PRIMARY KEY (machine_id, bucket)
);
CREATE TABLE analytics.environment_1hour (LIKE analytics.environment_15min INCLUDING ALL);

-- One run of a job, from the request to its end.
CREATE TABLE analytics.job_runs (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job           text NOT NULL,
    trigger       text NOT NULL CHECK (trigger IN ('schedule', 'request', 'command')),
    actor         text NOT NULL,
    scheduled_for timestamptz,
    started_at    timestamptz,
    ended_at      timestamptz,
    state         text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'partial', 'failed')),
    counts        jsonb NOT NULL DEFAULT '{}',
    parameters    jsonb NOT NULL DEFAULT '{}',
    error         text,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX job_runs_newest ON analytics.job_runs (job, created_at DESC);
-- A redelivered event of a rule finds its run.
CREATE UNIQUE INDEX job_runs_scheduled_once ON analytics.job_runs (job, scheduled_for) WHERE trigger = 'schedule';

CREATE TABLE analytics.job_items (
    run_id     uuid NOT NULL REFERENCES analytics.job_runs ON DELETE CASCADE,
    item       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'skipped', 'failed')),
    detail     jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, item)
);

-- KPIs of closed factory-local days, [start_at, end_at).
CREATE TABLE analytics.kpi_daily (
    subject_type            text NOT NULL CHECK (subject_type IN ('machine', 'factory')),
    subject_id              uuid NOT NULL,
    factory_id              uuid NOT NULL REFERENCES public.factories ON DELETE CASCADE,
    energy_type             varchar(50) NOT NULL,
    local_day               date NOT NULL,
    start_at                timestamptz NOT NULL,
    end_at                  timestamptz NOT NULL,
    time_period_hours       numeric NOT NULL,
    total_energy_kwh        numeric,
    avg_power_kw            numeric,
    peak_demand_kw          numeric,
    peak_at                 timestamptz,
    billing_peak_kw         numeric,
    billing_peak_at         timestamptz,
    total_production_units  bigint,
    sec_kwh_per_unit        numeric,
    load_factor             numeric,
    load_factor_percent     numeric,
    total_cost              numeric,
    cost_per_unit           numeric,
    currency                varchar(3),
    total_co2_kg            numeric,
    co2_per_unit_kg         numeric,
    emission_factor         numeric,
    coverage                numeric,            -- 0 to 1: share of the period with readings
    spread_kwh              numeric,
    readings                int,
    refused                 int,
    spread_readings         int,
    estimated               int,
    computed_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, energy_type, local_day)
);
CREATE INDEX kpi_daily_of_factory ON analytics.kpi_daily (factory_id, local_day);

-- What the demo's generator put into the data, for tests and benches to judge by.
CREATE TABLE analytics.demo_truth (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_id   uuid REFERENCES public.machines ON DELETE CASCADE,
    kind         text NOT NULL,                 -- 'coefficient', or the fault's name
    name         text,                          -- of the coefficient
    value        numeric,
    start_at     timestamptz,
    end_at       timestamptz,
    detail       jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX demo_truth_of_machine ON analytics.demo_truth (machine_id, start_at);
