"""Where an episode begins and ends, and which are one."""

import numpy as np

from enms.science.anomalies.spans import Pauses, Span, joined, one_cause, spans_of
from enms.science.anomalies.tracks import Track
from enms.science.arrays import Values

HOUR = 3_600


def _track(z: Values, family: str = "power_up") -> Track:
    return Track(family, "baseline_deviation", "energy_kwh", 1, z, z)


def _span(family: str, start: int, end: int, per_week: float = 0.01) -> Span:
    return Span(family, start * HOUR, end * HOUR, per_week, start * HOUR, (_track(np.zeros(1), family),))


def test_a_span_begins_where_the_oddness_does_and_not_where_it_was_sure() -> None:
    z = np.zeros(100)
    z[40:50] = 2.5
    odd = np.zeros(100, dtype=bool)
    odd[44:58] = True  # A window of some hours is sure later, and for longer.
    rates = np.where(odd, 0.01, 9.0)
    rates[49] = 0.001
    (span,) = spans_of(_track(z), rates, odd, np.arange(100) * HOUR, HOUR, 4 * HOUR)
    assert (span.start, span.end, span.peak_at) == (40 * HOUR, 50 * HOUR, 49 * HOUR)


def test_what_lies_beyond_a_long_sound_stretch_is_another_matter() -> None:
    z = np.zeros(100)
    z[10:20] = 3
    z[60:70] = 3
    odd = np.zeros(100, dtype=bool)
    odd[62:70] = True
    (span,) = spans_of(_track(z), np.where(odd, 0.01, 9.0), odd, np.arange(100) * HOUR, HOUR, HOUR)
    assert span.start == 60 * HOUR


def test_unjudged_hours_do_not_part_an_episode() -> None:
    z = np.concatenate([np.full(10, 3.0), np.full(5, np.nan), np.full(10, 3.0), np.zeros(20)])
    odd = z > 2
    (span,) = spans_of(_track(z), np.where(odd, 0.01, 9.0), odd, np.arange(45) * HOUR, HOUR, 10 * HOUR)
    assert (span.start, span.end) == (0, 25 * HOUR)


def _pauses(running: Values | None = None) -> Pauses:
    shares = np.ones(48) if running is None else running
    return Pauses(np.arange(48) * HOUR, shares, 12 * HOUR)


def test_spans_close_to_each_other_are_joined() -> None:
    spans = [_span("power_up", 0, 4), _span("power_up", 6, 8, 0.001), _span("power_up", 40, 41)]
    first, second = joined(spans, 3 * HOUR, _pauses())
    assert (first.start, first.end, first.per_week) == (0, 8 * HOUR, 0.001)
    assert second.start == 40 * HOUR


def test_what_shows_while_running_is_one_across_a_night() -> None:
    running = np.ones(48)
    running[10:18] = 0
    spans = [_span("power_up", 4, 10), _span("power_up", 18, 24)]
    assert len(joined(spans, 3 * HOUR, _pauses(running))) == 1
    assert len(joined(spans, 3 * HOUR, _pauses())) == 2
    assert len(joined(spans, 3 * HOUR, _pauses(np.full(48, np.nan)))) == 2


def test_faults_of_two_states_stay_two() -> None:
    running = np.concatenate([np.zeros(6), np.ones(42)])
    spans = [_span("power_up", 3, 4), _span("power_up", 14, 19)]
    assert len(joined(spans, 3 * HOUR, _pauses(running))) == 2


def test_quantities_that_went_wrong_together_are_one_and_the_rarest_names_it() -> None:
    (span,) = one_cause([_span("power_up", 10, 16), _span("sensor:machine_temp_c", 11, 17, 1e-9)])
    assert (span.family, span.start, span.end) == ("sensor:machine_temp_c", 10 * HOUR, 17 * HOUR)
    assert len(span.tracks) == 2


def test_a_short_fault_inside_a_long_one_stays_its_own() -> None:
    found = one_cause([_span("power_up", 0, 200), _span("sensor:pressure_bar", 100, 103, 1e-9)])
    assert len(found) == 2


def test_a_pattern_within_a_known_fault_is_part_of_it() -> None:
    (span,) = one_cause([_span("power_up", 0, 200, 1e-9), _span("pattern", 100, 103)])
    assert span.family == "power_up"
