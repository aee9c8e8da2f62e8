"""Forecasters: kept as documents, loaded once."""

import json
from functools import lru_cache

from enms.artifacts import DamagedArtifactError, ModelStore
from enms.database.connection import Row
from enms.errors import NotFoundError
from enms.science.forecasting.forecaster import Forecaster

# A firing of a job asks for each of a fleet's once: more would only fill memory.
_LOADED = 32


def to_bytes(forecaster: Forecaster) -> bytes:
    """A forecaster as it is kept: the same one is always the same bytes."""
    text = json.dumps(forecaster.to_document(), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def loaded(store: ModelStore, row: Row) -> Forecaster:
    """A version, its bytes verified.

    Raises:
        DamagedArtifactError: They are not those that were written, are gone, or are no forecaster.
    """
    try:
        return _parsed(store.get(row["artifact_key"], row["artifact_sha256"]))
    except NotFoundError as error:
        # The row promises it: whoever asked did nothing wrong.
        raise DamagedArtifactError(error.message, **error.details) from error
    except (ValueError, KeyError, TypeError) as error:
        key = row["artifact_key"]
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DamagedArtifactError(
            f"{key} is no forecaster of this version ({why}): train it again.", key=key
        ) from error


@lru_cache(maxsize=_LOADED)
def _parsed(content: bytes) -> Forecaster:
    return Forecaster.from_document(json.loads(content))
