-- Anomalies as episodes with a life: what one of ours has beside the contract's columns, who did what with it, what was learned
-- from false alarms, planned stops, detectors, until where machines were looked at, and events that wait to be published.

ALTER TABLE public.anomalies
    ADD COLUMN IF NOT EXISTS origin                text,             -- 'enms'; null for a row of another program
    ADD COLUMN IF NOT EXISTS energy_type           varchar(50),
    ADD COLUMN IF NOT EXISTS state                 text NOT NULL DEFAULT 'open',
    ADD COLUMN IF NOT EXISTS last_seen_at          timestamptz,      -- the instant after the last odd interval
    ADD COLUMN IF NOT EXISTS ended_at              timestamptz,      -- the same once it is over
    ADD COLUMN IF NOT EXISTS is_lasting            boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS false_alarms_per_week double precision,
    ADD COLUMN IF NOT EXISTS energy_kwh            double precision, -- used more than expected (less, where negative)
    ADD COLUMN IF NOT EXISTS cost                  double precision,
    ADD COLUMN IF NOT EXISTS currency              varchar(3),
    ADD COLUMN IF NOT EXISTS detector_id           uuid,             -- of analytics.anomaly_detectors
    ADD COLUMN IF NOT EXISTS run_id                uuid,             -- of the job's run that found it
    ADD COLUMN IF NOT EXISTS acknowledged_at       timestamptz,
    ADD COLUMN IF NOT EXISTS acknowledged_by       text,
    ADD COLUMN IF NOT EXISTS resolved_by           text,
    ADD COLUMN IF NOT EXISTS updated_at            timestamptz,
    ADD CONSTRAINT anomalies_state CHECK (state IN ('open', 'acknowledged', 'resolved', 'false_alarm', 'expected')),
    ADD CONSTRAINT anomalies_of_ours_whole CHECK (origin IS NULL OR num_nulls(energy_type, last_seen_at, updated_at) = 0),
    ADD CONSTRAINT anomalies_have_length CHECK (last_seen_at > detected_at AND ended_at > detected_at);
UPDATE public.anomalies SET state = 'resolved' WHERE is_resolved;

CREATE INDEX anomalies_newest ON public.anomalies (detected_at DESC, id DESC);
CREATE INDEX anomalies_of_machine ON public.anomalies (machine_id, detected_at DESC, id DESC);
CREATE INDEX anomalies_unresolved ON public.anomalies (machine_id) WHERE state IN ('open', 'acknowledged');

-- What became of an anomaly, and who did it.
CREATE TABLE analytics.anomaly_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    anomaly_id uuid NOT NULL REFERENCES public.anomalies ON DELETE CASCADE,
    event      text NOT NULL CHECK (event IN ('opened', 'worsened', 'extended', 'ended', 'acknowledged', 'resolved', 'reopened')),
    actor      text NOT NULL,
    note       text,
    detail     jsonb NOT NULL DEFAULT '{}',
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX anomaly_history_of_anomaly ON analytics.anomaly_history (anomaly_id, id);

-- What is to be published of it: written with what happened, marked once it is out.
CREATE TABLE analytics.anomaly_outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    anomaly_id uuid NOT NULL REFERENCES public.anomalies ON DELETE CASCADE,
    event      text NOT NULL CHECK (event IN ('opened', 'worsened', 'resolved')),
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at    timestamptz
);
CREATE INDEX anomaly_outbox_waiting ON analytics.anomaly_outbox (id) WHERE sent_at IS NULL;
CREATE INDEX anomaly_outbox_sent ON analytics.anomaly_outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX anomaly_outbox_of_anomaly ON analytics.anomaly_outbox (anomaly_id);

-- Planned stops: periods of a machine in which nothing is raised.
CREATE TABLE analytics.anomaly_suppressions (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id   uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    start_at     timestamptz NOT NULL,
    end_at       timestamptz NOT NULL,
    reason       text NOT NULL,
    actor        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    withdrawn_at timestamptz,
    withdrawn_by text,
    CHECK (end_at > start_at),
    CHECK (num_nulls(withdrawn_at, withdrawn_by) IN (0, 2))
);
CREATE INDEX anomaly_suppressions_in_force ON analytics.anomaly_suppressions (machine_id, end_at) WHERE withdrawn_at IS NULL;

-- The bounds within which what was found is like a false alarm; they outlive the anomaly that they were learned from.
CREATE TABLE analytics.anomaly_feedback (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine_id  uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type varchar(50) NOT NULL,
    anomaly_id  uuid UNIQUE REFERENCES public.anomalies ON DELETE SET NULL,
    kind        varchar(100) NOT NULL,
    pattern     jsonb NOT NULL,
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX anomaly_feedback_of_machine ON analytics.anomaly_feedback (machine_id, energy_type);

CREATE TABLE analytics.anomaly_detectors (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    machine_id      uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type     varchar(50) NOT NULL,
    version         int NOT NULL,
    artifact_key    text NOT NULL,
    artifact_sha256 text NOT NULL,
    baseline_id     uuid REFERENCES public.energy_baselines ON DELETE SET NULL,
    trained_from    timestamptz NOT NULL,
    trained_to      timestamptz NOT NULL,
    features        text[] NOT NULL,
    confidence_cap  double precision NOT NULL CHECK (confidence_cap BETWEEN 0 AND 1),
    is_active       boolean NOT NULL,
    trained_by      text NOT NULL,
    run_id          uuid,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (machine_id, energy_type, version),
    CHECK (trained_to > trained_from)
);
CREATE UNIQUE INDEX anomaly_detectors_one_active ON analytics.anomaly_detectors (machine_id, energy_type) WHERE is_active;
CREATE INDEX anomaly_detectors_of_baseline ON analytics.anomaly_detectors (baseline_id);

CREATE TABLE analytics.anomaly_watermarks (
    machine_id     uuid NOT NULL REFERENCES public.machines ON DELETE CASCADE,
    energy_type    varchar(50) NOT NULL,
    detected_until timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (machine_id, energy_type)
);

-- An anomaly as its events tell it; what an event adds to that is merged in where it is written.
CREATE FUNCTION analytics.anomaly_payload(a public.anomalies) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'anomaly_id', a.id, 'machine_id', a.machine_id, 'machine_name', m.name, 'factory_id', f.id, 'factory_name', f.name,
        'energy_type', coalesce(a.energy_type, 'electrical'), 'anomaly_type', a.anomaly_type, 'severity', a.severity, 'state', a.state,
        'detected_at', a.detected_at, 'ended_at', a.ended_at, 'last_seen_at', a.last_seen_at, 'is_lasting', a.is_lasting,
        'metric_name', a.metric_name, 'metric_unit', a.metadata ->> 'metric_unit', 'metric_value', a.metric_value,
        'expected_value', a.expected_value, 'deviation_percent', a.deviation_percent, 'deviation_std_dev', a.deviation_std_dev,
        'confidence_score', a.confidence_score, 'energy_kwh', a.energy_kwh, 'cost', a.cost, 'currency', a.currency,
        'summary', a.metadata ->> 'summary')
    FROM public.machines m JOIN public.factories f ON f.id = m.factory_id WHERE m.id = a.machine_id
$$;

-- Other programs know `is_resolved` only: it and `state` tell the same, whoever changes which, and what they do is told as ours is.
CREATE FUNCTION analytics.anomaly_states_agree() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    closed CONSTANT text[] := '{resolved,false_alarm,expected}';
    change text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.is_resolved AND NOT NEW.state = ANY (closed) THEN
            NEW.state := 'resolved';
        ELSIF NEW.state = ANY (closed) THEN
            NEW.is_resolved := true;
        END IF;
    ELSIF NEW.state <> OLD.state THEN
        NEW.is_resolved := NEW.state = ANY (closed);
    ELSIF coalesce(NEW.is_resolved, false) <> (OLD.state = ANY (closed)) THEN
        change := CASE WHEN NEW.is_resolved THEN 'resolved' ELSE 'reopened' END;
        NEW.state := CASE WHEN NEW.is_resolved THEN 'resolved' ELSE 'open' END;
        NEW.resolved_at := CASE WHEN NEW.is_resolved THEN coalesce(NEW.resolved_at, now()) END;
        NEW.resolved_by := CASE WHEN NEW.is_resolved THEN session_user::text END;
        INSERT INTO analytics.anomaly_history (anomaly_id, event, actor, note)
        VALUES (NEW.id, change, session_user, NEW.resolution_notes);
        IF NEW.is_resolved THEN
            INSERT INTO analytics.anomaly_outbox (anomaly_id, event, payload)
            VALUES (NEW.id, change, analytics.anomaly_payload(NEW)
                || jsonb_build_object('event', change, 'actor', session_user, 'note', NEW.resolution_notes, 'at', now()));
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER enms_states_agree BEFORE INSERT OR UPDATE OF is_resolved, state ON public.anomalies
    FOR EACH ROW EXECUTE FUNCTION analytics.anomaly_states_agree();
