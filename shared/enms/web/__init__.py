"""What every endpoint group shares: the application, errors, rights, parameters."""

import sys

# FastAPI asks of each parameter whether it is a model of pydantic's first version, and loads that library for
# the question: a twentieth of a cold start. It takes the library's absence for a no.
sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
