-- The contract's tables, in the schema `public` where other programs look for them.
-- Each table is made with its key where it is missing, then gets the columns that it lacks: on an installed platform
-- whatever is there already stays as it is, types and contents.

DO $$
BEGIN
    IF to_regtype('public.machine_type') IS NULL THEN
        CREATE TYPE public.machine_type AS ENUM
            ('compressor', 'hvac', 'motor', 'pump', 'injection_molding', 'conveyor', 'boiler', 'other');
    END IF;
    IF to_regtype('public.alert_level') IS NULL THEN
        CREATE TYPE public.alert_level AS ENUM ('normal', 'warning', 'critical');
    END IF;
    IF to_regtype('public.operating_mode') IS NULL THEN
        CREATE TYPE public.operating_mode AS ENUM ('idle', 'running', 'maintenance', 'fault', 'offline');
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS public.factories (
    id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL UNIQUE
);
ALTER TABLE public.factories
    ADD COLUMN IF NOT EXISTS location   varchar(255),
    ADD COLUMN IF NOT EXISTS timezone   varchar(50) DEFAULT 'UTC',
    ADD COLUMN IF NOT EXISTS is_active  boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS metadata   jsonb DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz DEFAULT now();

CREATE TABLE IF NOT EXISTS public.machines (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    factory_id     uuid NOT NULL REFERENCES public.factories ON DELETE CASCADE,
    name           varchar(255) NOT NULL,
    type           public.machine_type NOT NULL,
    rated_power_kw numeric(10, 2) NOT NULL,
    UNIQUE (factory_id, name)
);
ALTER TABLE public.machines
    ADD COLUMN IF NOT EXISTS description           text,
    ADD COLUMN IF NOT EXISTS manufacturer          varchar(255),
    ADD COLUMN IF NOT EXISTS location_in_factory   varchar(255),
    ADD COLUMN IF NOT EXISTS mqtt_topic            varchar(255) UNIQUE,
    ADD COLUMN IF NOT EXISTS data_interval_seconds int DEFAULT 10,
    ADD COLUMN IF NOT EXISTS is_active             boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS is_critical           boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS metadata              jsonb DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS created_at            timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at            timestamptz DEFAULT now();

CREATE TABLE IF NOT EXISTS public.energy_readings (
    time        timestamptz NOT NULL,
    machine_id  uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type varchar(50) NOT NULL DEFAULT 'electrical',
    power_kw    numeric(12, 4) NOT NULL,
    energy_kwh  numeric(15, 6) NOT NULL
);
ALTER TABLE public.energy_readings
    ADD COLUMN IF NOT EXISTS voltage_v     numeric(8, 2),
    ADD COLUMN IF NOT EXISTS current_a     numeric(10, 2),
    ADD COLUMN IF NOT EXISTS power_factor  numeric(4, 3),
    ADD COLUMN IF NOT EXISTS frequency_hz  numeric(6, 3),
    ADD COLUMN IF NOT EXISTS is_estimated  boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS quality_score numeric(3, 2) DEFAULT 1,
    ADD COLUMN IF NOT EXISTS source        varchar(50),
    ADD COLUMN IF NOT EXISTS metadata      jsonb DEFAULT '{}';

CREATE TABLE IF NOT EXISTS public.production_data (
    time       timestamptz NOT NULL,
    machine_id uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE
);
ALTER TABLE public.production_data
    ADD COLUMN IF NOT EXISTS production_count          int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS production_count_good     int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS production_count_bad      int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS throughput_units_per_hour numeric(10, 2),
    ADD COLUMN IF NOT EXISTS operating_mode            public.operating_mode,
    ADD COLUMN IF NOT EXISTS speed_percent             numeric(5, 2),
    ADD COLUMN IF NOT EXISTS downtime_seconds          int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS product_id                varchar(100),
    ADD COLUMN IF NOT EXISTS batch_id                  varchar(100),
    ADD COLUMN IF NOT EXISTS shift                     varchar(20),
    ADD COLUMN IF NOT EXISTS metadata                  jsonb DEFAULT '{}';

CREATE TABLE IF NOT EXISTS public.environmental_data (
    time       timestamptz NOT NULL,
    machine_id uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE
);
ALTER TABLE public.environmental_data
    ADD COLUMN IF NOT EXISTS outdoor_temp_c           numeric(5, 2),
    ADD COLUMN IF NOT EXISTS indoor_temp_c            numeric(5, 2),
    ADD COLUMN IF NOT EXISTS machine_temp_c           numeric(6, 2),
    ADD COLUMN IF NOT EXISTS outdoor_humidity_percent numeric(5, 2),
    ADD COLUMN IF NOT EXISTS indoor_humidity_percent  numeric(5, 2),
    ADD COLUMN IF NOT EXISTS pressure_bar             numeric(8, 3),
    ADD COLUMN IF NOT EXISTS pressure_setpoint_bar    numeric(8, 3),
    ADD COLUMN IF NOT EXISTS flow_rate_m3h            numeric(10, 2),
    ADD COLUMN IF NOT EXISTS supply_air_temp_c        numeric(5, 2),
    ADD COLUMN IF NOT EXISTS return_air_temp_c        numeric(5, 2),
    ADD COLUMN IF NOT EXISTS cop                      numeric(5, 2),
    ADD COLUMN IF NOT EXISTS vibration_mm_s           numeric(8, 3),
    ADD COLUMN IF NOT EXISTS metadata                 jsonb DEFAULT '{}';

-- Upserts need the unique keys under whatever name they have; where rows already break one, the server's message names
-- the pair and nothing is changed.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('energy_readings_machine_time_type_unique', 'public.energy_readings'::regclass, '{machine_id,time,energy_type}'::name[]),
        ('production_data_machine_time_unique', 'public.production_data', '{machine_id,time}'),
        ('environmental_data_machine_time_unique', 'public.environmental_data', '{machine_id,time}')
    ) keys (index_name, relation, columns)
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = wanted.relation AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = cardinality(wanted.columns)
              AND wanted.columns @> (SELECT array_agg(a.attname) FROM pg_attribute a
                                     WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])));
        EXECUTE format('CREATE UNIQUE INDEX %I ON %s (%s)', wanted.index_name, wanted.relation, array_to_string(wanted.columns, ', '));
    END LOOP;
END $$;

-- On a database with TimescaleDB, fact tables without rows become hypertables; existing ones are taken as they are.
DO $$
DECLARE
    fact text;
    has_rows boolean;
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        FOREACH fact IN ARRAY '{energy_readings,production_data,environmental_data}'::text[] LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', fact) INTO has_rows;
            IF NOT has_rows THEN
                EXECUTE format('SELECT create_hypertable(''public.%I'', ''time'', chunk_time_interval => interval ''1 day'', if_not_exists => true)', fact);
            END IF;
        END LOOP;
    END IF;
END $$;

-- Carriers other than electricity, with their unit, price and carbon factor. Empty where it is ours: prices are the operator's.
CREATE TABLE IF NOT EXISTS public.energy_sources (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          varchar(50) NOT NULL UNIQUE,
    unit          varchar(20) NOT NULL,
    cost_per_unit numeric(10, 4),
    carbon_factor numeric(10, 6)
);

-- Baselines are versioned per machine and carrier: an installed platform keeps the carrier as energy_source_id, ours by its name.
CREATE TABLE IF NOT EXISTS public.energy_baselines (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id          uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type         varchar(50) NOT NULL DEFAULT 'electrical',
    model_name          varchar(100) NOT NULL,
    model_version       int NOT NULL DEFAULT 1,
    training_start_date timestamptz NOT NULL,
    training_end_date   timestamptz NOT NULL,
    training_samples    int NOT NULL,
    coefficients        jsonb NOT NULL,
    feature_names       text[] NOT NULL,
    UNIQUE (machine_id, energy_type, model_version)
);
ALTER TABLE public.energy_baselines
    ADD COLUMN IF NOT EXISTS model_type varchar(50) DEFAULT 'linear_regression',
    ADD COLUMN IF NOT EXISTS intercept  numeric(15, 6),
    ADD COLUMN IF NOT EXISTS r_squared  numeric(5, 4),
    ADD COLUMN IF NOT EXISTS rmse       numeric(12, 6),
    ADD COLUMN IF NOT EXISTS mae        numeric(12, 6),
    ADD COLUMN IF NOT EXISTS is_active  boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS trained_by varchar(100),
    ADD COLUMN IF NOT EXISTS metadata   jsonb DEFAULT '{}';

CREATE TABLE IF NOT EXISTS public.anomalies (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id   uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    detected_at  timestamptz NOT NULL,
    anomaly_type varchar(100) NOT NULL,
    severity     public.alert_level NOT NULL
);
ALTER TABLE public.anomalies
    ADD COLUMN IF NOT EXISTS metric_name       varchar(100),
    ADD COLUMN IF NOT EXISTS metric_value      numeric(15, 6),
    ADD COLUMN IF NOT EXISTS expected_value    numeric(15, 6),
    ADD COLUMN IF NOT EXISTS deviation_percent numeric(8, 2),
    ADD COLUMN IF NOT EXISTS deviation_std_dev numeric(8, 2),
    ADD COLUMN IF NOT EXISTS detection_method  varchar(100),
    ADD COLUMN IF NOT EXISTS confidence_score  numeric(5, 4),
    ADD COLUMN IF NOT EXISTS is_resolved       boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS resolved_at       timestamptz,
    ADD COLUMN IF NOT EXISTS resolution_notes  text,
    ADD COLUMN IF NOT EXISTS created_at        timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS metadata          jsonb DEFAULT '{}';

CREATE TABLE IF NOT EXISTS public.energy_tariffs (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    factory_id   uuid NOT NULL REFERENCES public.factories ON DELETE CASCADE,
    name         varchar(100) NOT NULL,
    rate_per_kwh numeric(10, 4) NOT NULL,
    valid_from   date NOT NULL
);
ALTER TABLE public.energy_tariffs
    ADD COLUMN IF NOT EXISTS currency             varchar(3) DEFAULT 'USD',
    ADD COLUMN IF NOT EXISTS is_time_of_use       boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS start_hour           int,
    ADD COLUMN IF NOT EXISTS end_hour             int,
    ADD COLUMN IF NOT EXISTS applicable_days      int[],
    ADD COLUMN IF NOT EXISTS demand_charge_per_kw numeric(10, 2),
    ADD COLUMN IF NOT EXISTS valid_to             date,
    ADD COLUMN IF NOT EXISTS is_active            boolean DEFAULT true;

CREATE TABLE IF NOT EXISTS public.carbon_factors (
    id                            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    region                        varchar(100) NOT NULL,
    emission_factor_kg_co2_per_kwh numeric(10, 6) NOT NULL,
    valid_from                    date NOT NULL
);
ALTER TABLE public.carbon_factors
    ADD COLUMN IF NOT EXISTS grid_name varchar(100),
    ADD COLUMN IF NOT EXISTS source    varchar(255),
    ADD COLUMN IF NOT EXISTS valid_to  date,
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true;
