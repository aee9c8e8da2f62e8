"""What is known of times to come, laid onto the steps of a model by the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from enms.database.connection import Connection, Row, rows

_STEPS = """
    given AS MATERIALIZED (SELECT %(edges)s::float8[] AS edges),
    steps AS MATERIALIZED (
        SELECT place::int AS place, at AS start_s, next_at AS end_s
        FROM (SELECT at, place, lead(at) OVER (ORDER BY place) AS next_at
              FROM given, unnest(edges) WITH ORDINALITY e (at, place)) e
        WHERE next_at IS NOT NULL
    )
"""
# What of each step is covered by the periods in `held`, by name.
_COVERED = """
    touched AS (
        SELECT h.*, generate_series(greatest(width_bucket(h.start_s, g.edges), 1),
                                    width_bucket(h.end_s, g.edges)) AS place
        FROM held h, given g
    ),
    covered AS (
        SELECT name, place, sum(value * seconds) AS integral, sum(seconds) AS seconds
        FROM (SELECT t.name, t.value, place,
                     least(t.end_s, steps.end_s) - greatest(t.start_s, steps.start_s) AS seconds
              FROM touched t JOIN steps USING (place)) part
        WHERE seconds > 0 GROUP BY name, place
    )
"""
# A machine's own of a name stand for the factory's of that name, which may be on another scale. A step is
# known where all of it is. Of an outdoor temperature what nobody told of the past is what the factory's
# machines measured, the median of them, where that is half of a step.
_KNOWN = f"""
    WITH {_STEPS},
    stored AS (
        SELECT r.name, r.kind, r.value, r.start_at, r.end_at,
               rank() OVER (PARTITION BY r.name ORDER BY r.machine_id IS NULL) AS precedence
        FROM analytics.forecast_regressors r
        WHERE r.subject_id = ANY (%(subjects)s::uuid[]) AND r.kind <> 'planned_stop'
          AND r.start_at < %(end_at)s AND r.end_at > %(start_at)s
    ),
    seen AS (
        SELECT name, kind, value, date_part('epoch', start_at) AS start_s, date_part('epoch', end_at) AS end_s
        FROM stored WHERE precedence = 1
    ),
    named AS (SELECT name, min(kind) AS kind FROM seen GROUP BY name),
    measured AS (
        SELECT date_part('epoch', e.bucket) AS start_s,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY e.outdoor_temp_sum / e.outdoor_temp_readings)
                   AS value
        FROM machines m JOIN analytics.environment_1hour e ON e.machine_id = m.id
        WHERE m.factory_id = %(factory_id)s AND e.outdoor_temp_readings > 0
          AND e.bucket > %(start_at)s - interval '1 hour' AND e.bucket < %(end_at)s
          AND EXISTS (SELECT FROM named WHERE kind = 'temperature')
        GROUP BY e.bucket
    ),
    held AS (
        SELECT name, value, start_s, end_s FROM seen
        UNION ALL SELECT NULL, value, start_s, start_s + 3600 FROM measured
    ),
    {_COVERED}
    SELECT n.name, array_agg(
        CASE WHEN told.seconds > l.seconds - 0.001 THEN told.integral / told.seconds
             WHEN sensed.seconds >= l.seconds / 2 THEN sensed.integral / sensed.seconds
             ELSE 'NaN' END ORDER BY s.place) AS values
    FROM named n CROSS JOIN steps s CROSS JOIN LATERAL (SELECT s.end_s - s.start_s AS seconds) l
    LEFT JOIN covered told ON told.name = n.name AND told.place = s.place
    LEFT JOIN covered sensed ON sensed.name IS NULL AND sensed.place = s.place AND n.kind = 'temperature'
    GROUP BY n.name ORDER BY n.name
"""  # noqa: S608 - names of this module
# A machine stands still in its factory's stops as in its own. Its own take away from its factory's load the
# share that it has in the energy of the last weeks; who never ran has none.
_STOPPED = f"""
    WITH {_STEPS},
    stops AS (
        SELECT r.machine_id, r.subject_id, r.value, date_part('epoch', r.start_at) AS start_s,
               date_part('epoch', r.end_at) AS end_s
        FROM analytics.forecast_regressors r
        WHERE r.subject_id = ANY (%(subjects)s::uuid[] || %(members)s::uuid[])
          AND r.kind = 'planned_stop' AND r.value > 0
          AND r.start_at < %(end_at)s AND r.end_at > %(start_at)s
    ),
    weights AS (
        SELECT machine_id, (sum(energy_kwh) / nullif(sum(sum(energy_kwh)) OVER (), 0))::float8 AS weight
        FROM analytics.energy_1hour
        WHERE machine_id = ANY (%(members)s::uuid[]) AND energy_type = %(energy_type)s
          AND bucket >= %(end_at)s - interval '5 weeks' AND bucket < %(end_at)s
          AND EXISTS (SELECT FROM stops WHERE machine_id = ANY (%(members)s::uuid[]))
        GROUP BY machine_id
    ),
    held AS (
        SELECT NULL::text AS name, start_s, end_s,
               value * CASE WHEN subject_id = ANY (%(subjects)s::uuid[]) THEN 1 ELSE coalesce(weight, 0) END
                   AS value
        FROM stops LEFT JOIN weights USING (machine_id)
    ),
    {_COVERED}
    SELECT array_agg(least(coalesce(c.integral, 0) / (s.end_s - s.start_s), 1) ORDER BY s.place) AS share
    FROM steps s LEFT JOIN covered c USING (place) HAVING count(c.place) > 0
"""  # noqa: S608 - names of this module


@dataclass(frozen=True)
class Steps:
    """The steps of a model.

    Attributes:
        subjects: Whose is seen: a factory, or a machine and its factory.
        edges_s: Where steps begin, and where the last one ends: seconds since 1970, ascending.
    """

    subjects: Sequence[UUID]
    edges_s: Sequence[float]

    def parameters(self) -> dict[str, object]:
        """For a statement."""
        return {
            "subjects": list(self.subjects),
            "edges": as_array(map(repr, self.edges_s)),
            "start_at": datetime.fromtimestamp(self.edges_s[0], UTC),
            "end_at": datetime.fromtimestamp(self.edges_s[-1], UTC),
        }


def known(connection: Connection, steps: Steps, factory_id: UUID) -> list[Row]:
    """What is known in each step, planned stops left out: the mean over its time.

    Args:
        connection: The database.
        steps: The steps.
        factory_id: The factory, whose machines may measure the outdoor temperature.

    Returns:
        Rows of name and values, one for each step, NaN where it isn't known.
    """
    return rows(connection, _KNOWN, steps.parameters() | {"factory_id": factory_id})


def stopped_share(
    connection: Connection, steps: Steps, members: Sequence[UUID], energy_type: str
) -> list[float] | None:
    """The share of the load that planned stops take away in each step, 0 to 1; None without any stop.

    Args:
        connection: The database.
        steps: The steps.
        members: The machines of a factory that is asked about; of a machine none.
        energy_type: The carrier of the load.
    """
    told = steps.parameters() | {"members": list(members), "energy_type": energy_type}
    found = rows(connection, _STOPPED, told)
    return found[0]["share"] if found else None


def as_array(items: Iterable[str]) -> str:
    """An array as text: an expression of thousands of values takes the server longer than the work itself."""
    return "{" + ",".join(items) + "}"
