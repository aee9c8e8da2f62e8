"""Cursors of lists: where a page ended, as a text that callers hand back as it is."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enms.errors import InvalidInputError


def encode(name: str, values: Sequence[object]) -> str:
    """The cursor of a list.

    Args:
        name: The list; a cursor of another one is refused.
        values: What the last row is sorted by: texts, numbers, instants, ids, None.
    """
    text = json.dumps([name, *(_plain(value) for value in values)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(name: str, cursor: str, count: int) -> list[Any]:
    """What `encode` was given, instants and ids as texts.

    Raises:
        InvalidInputError: It is none, or one of another list.
    """
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise refused(cursor) from None
    if not isinstance(found, list) or len(found) != count + 1 or found[0] != name:
        raise refused(cursor)
    return found[1:]


def refused(cursor: str) -> InvalidInputError:
    """The error for a text that is no cursor of this list."""
    return InvalidInputError(
        "cursor: this is none of this list; leave it out for the first page.",
        parameter="cursor",
        given=cursor,
        allowed="next_cursor of the page before, unchanged",
    )


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
