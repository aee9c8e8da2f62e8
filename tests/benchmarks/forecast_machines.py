"""One load twice: a machine that reports each minute, and one that reports each quarter hour."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from benchmarks.database import execute

DAYS = 90
FACTORY = UUID("f0000000-0000-4000-8000-00000000f000")
MINUTELY = UUID("a0000000-0000-4000-8000-00000000f001")
QUARTERLY = UUID("a0000000-0000-4000-8000-00000000f002")
# Two shifts on weekdays above a standby load, with noise and a slow wave that no calendar tells.
_FILL = """
INSERT INTO factories (id, name, timezone, metadata)
VALUES (%(factory)s, 'Bench', 'Europe/Berlin', '{"country": "DE"}');
INSERT INTO machines (id, factory_id, name, type, rated_power_kw, data_interval_seconds) VALUES
    (%(minutely)s, %(factory)s, 'Minutely', 'motor', 110, 60),
    (%(quarterly)s, %(factory)s, 'Quarterly', 'motor', 110, 900);
CREATE TEMPORARY TABLE load AS
SELECT time, (12 + 60 * (extract(isodow FROM time) < 6 AND extract(hour FROM time) BETWEEN 5 AND 20)::int
              + 9 * sin(extract(epoch FROM time) / 23751) + 6 * random())::numeric(9, 3) AS power_kw
FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 minute', '1 minute') AS time;
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT time, %(minutely)s, power_kw, power_kw / 60 FROM load;
INSERT INTO energy_readings (time, machine_id, power_kw, energy_kwh)
SELECT date_bin('15 minutes', time, '2000-01-01 00:00Z'), %(quarterly)s, avg(power_kw), avg(power_kw) / 4
FROM load GROUP BY 1;
"""


def fill(url: str) -> None:
    """Writes both with what they did up to the last full hour, and lets the server settle."""
    end = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0)
    names = {"factory": FACTORY, "minutely": MINUTELY, "quarterly": QUARTERLY}
    parameters = {name: str(value) for name, value in names.items()}
    execute(url, _FILL, {**parameters, "start": end - timedelta(days=DAYS), "end": end})
    execute(url, "VACUUM ANALYZE")
    execute(url, "CHECKPOINT")
