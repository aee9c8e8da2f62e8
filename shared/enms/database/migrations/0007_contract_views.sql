-- The contract's aggregate names, where no platform has them already. Energy is the electrical alone; peak_demand_kw is
-- the largest quarter-hour average, and the load factor the bucket's average power over it.
DO $$
DECLARE
    step record;
BEGIN
    FOR step IN SELECT * FROM (VALUES ('15min', '15min', 'bucket', 0.25), ('1hour', '1hour', 'bucket', 1),
                                      ('1day', '1hour', 'date_bin(''1 day'', bucket, ''2000-01-01 00:00+00'')', 24)) s (suffix, source, bucket, hours)
    LOOP
        IF to_regclass('public.energy_readings_' || step.suffix) IS NULL THEN
            EXECUTE format($v$
                CREATE VIEW public.energy_readings_%1$s AS
                SELECT %3$s AS bucket, machine_id,
                       sum(power_sum_kw) / nullif(sum(readings - refused - spread_readings), 0) AS avg_power_kw,
                       min(min_power_kw) AS min_power_kw, max(max_power_kw) AS max_power_kw, max(billing_kw) AS peak_demand_kw,
                       sum(energy_kwh) AS total_energy_kwh, sum(energy_kwh) / %4$s / nullif(max(billing_kw), 0) AS load_factor,
                       sum(readings) AS total_readings
                FROM analytics.energy_%2$s WHERE energy_type = 'electrical' GROUP BY 1, 2 HAVING sum(readings) > 0 OR sum(energy_kwh) > 0
            $v$, step.suffix, step.source, step.bucket, step.hours);
        END IF;
        IF to_regclass('public.production_data_' || step.suffix) IS NULL THEN
            EXECUTE format($v$
                CREATE VIEW public.production_data_%1$s AS
                SELECT %3$s AS bucket, machine_id, sum(production_count) AS total_production_count,
                       sum(production_count_good) AS total_production_good, sum(production_count_bad) AS total_production_bad,
                       sum(throughput_sum) / nullif(sum(throughput_readings), 0) AS avg_throughput,
                       sum(speed_percent_sum) / nullif(sum(speed_percent_readings), 0) AS avg_speed_percent,
                       sum(downtime_seconds) AS total_downtime_seconds, sum(readings) AS total_readings
                FROM analytics.production_%2$s GROUP BY 1, 2
            $v$, step.suffix, step.source, step.bucket);
        END IF;
        IF to_regclass('public.environmental_data_' || step.suffix) IS NULL THEN
            EXECUTE format($v$
                CREATE VIEW public.environmental_data_%1$s AS
                SELECT %3$s AS bucket, machine_id,
                       sum(outdoor_temp_sum) / nullif(sum(outdoor_temp_readings), 0) AS avg_outdoor_temp_c,
                       sum(indoor_temp_sum) / nullif(sum(indoor_temp_readings), 0) AS avg_indoor_temp_c,
                       sum(machine_temp_sum) / nullif(sum(machine_temp_readings), 0) AS avg_machine_temp_c,
                       sum(outdoor_humidity_sum) / nullif(sum(outdoor_humidity_readings), 0) AS avg_outdoor_humidity,
                       sum(indoor_humidity_sum) / nullif(sum(indoor_humidity_readings), 0) AS avg_indoor_humidity,
                       sum(pressure_sum) / nullif(sum(pressure_readings), 0) AS avg_pressure_bar,
                       sum(flow_rate_sum) / nullif(sum(flow_rate_readings), 0) AS avg_flow_rate_m3h,
                       sum(vibration_sum) / nullif(sum(vibration_readings), 0) AS avg_vibration_mm_s,
                       sum(readings) AS total_readings
                FROM analytics.environment_%2$s GROUP BY 1, 2
            $v$, step.suffix, step.source, step.bucket);
        END IF;
    END LOOP;
END $$;
