"""Names of what a baseline can be; without numpy, so that reading a request loads none."""

from collections.abc import Mapping
from typing import Literal

type Interval = Literal["hour", "day"]
type Form = Literal["linear", "change_point", "time_of_week_temperature"]
type Model = Literal["linear", "change_point", "time_of_week_temperature", "auto"]

# As people call them.
FORM_NAMES: Mapping[Form, str] = {
    "linear": "linear regression",
    "change_point": "change-point regression",
    "time_of_week_temperature": "time of week and temperature",
}
