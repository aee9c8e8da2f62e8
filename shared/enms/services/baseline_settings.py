"""An operator's thresholds as the science takes them."""

from dataclasses import fields, replace

from enms.errors import InvalidInputError
from enms.science.baseline.build import RefusalRules
from enms.science.baseline.verdict import Limits
from enms.settings import TrainingSettings

RULES = RefusalRules()


def limits_of(settings: TrainingSettings) -> Limits:
    """The verdict's limits: the defaults, less what `baseline_limits` names.

    Raises:
        InvalidInputError: It names a limit that there isn't.
    """
    known = [field.name for field in fields(Limits)]
    unknown = sorted(set(settings.baseline_limits) - set(known))
    if unknown:
        raise InvalidInputError(
            f"BASELINE_LIMITS: there is no {', '.join(unknown)}; there are {', '.join(known)}.",
            parameter="BASELINE_LIMITS",
            given=unknown,
            allowed=known,
        )
    return replace(Limits(), **settings.baseline_limits)
