"""Names of what a baseline can be; without numpy, so that reading a request loads none."""

from typing import Literal

type Interval = Literal["hour", "day"]
type Form = Literal["linear", "change_point", "time_of_week_temperature"]
type Model = Literal["linear", "change_point", "time_of_week_temperature", "auto"]
