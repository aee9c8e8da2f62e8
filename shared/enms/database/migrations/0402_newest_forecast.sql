-- The newest forecast of a machine or a factory with what made it: the way of every question about forecasts. (As a function its plans
-- are kept by the connection: planning took three quarters of the time.) No row for a subject that does not exist; without a
-- forecast its columns are null.
CREATE FUNCTION analytics.newest_forecast(p_kind text, p_subject_id uuid, p_energy_type varchar, p_horizon text, p_choice text)
RETURNS TABLE (
    name varchar, timezone text,
    newest_end timestamptz,         -- of the quarter hours that have an accepted reading
    serving_model_id uuid,
    model_id uuid, made_at timestamptz, origin_at timestamptz, ends_at timestamptz, step_seconds int, starts_at timestamptz[],
    power_kw float8[], lower_80_kw float8[], upper_80_kw float8[], lower_95_kw float8[], upper_95_kw float8[],
    peak_at timestamptz, peak_power_kw double precision, peak_quantiles_kw float8[], scale_kw double precision, members text[],
    regressors text[], regressors_left_out jsonb, notes jsonb, days_of_history double precision, share_of_readings double precision,
    version int, trained_at timestamptz, reason text, backtest jsonb)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    subject record;
BEGIN
    IF p_kind = 'machine' THEN
        SELECT m.name, f.timezone, ARRAY[m.id] AS machine_ids INTO subject
        FROM public.machines m JOIN public.factories f ON f.id = m.factory_id WHERE m.id = p_subject_id;
    ELSE
        SELECT f.name, f.timezone,
               ARRAY(SELECT m.id FROM public.machines m WHERE m.factory_id = f.id AND m.is_active IS NOT FALSE) AS machine_ids INTO subject
        FROM public.factories f WHERE f.id = p_subject_id;
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT subject.name, analytics.valid_zone(subject.timezone),
           (SELECT max(q.bucket) + interval '15 minutes'
            FROM unnest(subject.machine_ids) machine (id)
            CROSS JOIN LATERAL (
                SELECT e.bucket FROM analytics.energy_15min e
                WHERE e.machine_id = machine.id AND e.energy_type = p_energy_type AND e.readings > e.refused
                ORDER BY e.bucket DESC LIMIT 1) q),
           (SELECT a.id FROM analytics.forecast_models a
            WHERE a.subject_id = p_subject_id AND a.energy_type = p_energy_type AND a.horizon = p_horizon AND a.is_active),
           i.model_id, i.made_at, i.origin_at, i.ends_at, i.step_seconds, i.starts_at, i.power_kw, i.lower_80_kw, i.upper_80_kw,
           i.lower_95_kw, i.upper_95_kw, i.peak_at, i.peak_power_kw, i.peak_quantiles_kw, i.scale_kw, i.members, i.regressors,
           i.regressors_left_out, i.notes, i.days_of_history, i.share_of_readings, m.version, m.created_at, m.reason, m.backtest
    FROM (SELECT 1) one
    LEFT JOIN LATERAL (
        SELECT * FROM analytics.forecast_issues i
        WHERE i.subject_id = p_subject_id AND i.energy_type = p_energy_type AND i.horizon = p_horizon AND i.choice = p_choice
        ORDER BY i.origin_at DESC LIMIT 1) i ON true
    LEFT JOIN analytics.forecast_models m ON m.id = i.model_id;
END $$;
