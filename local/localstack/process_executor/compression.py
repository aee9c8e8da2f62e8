"""Compression as API Gateway does it where a REST API has a `minimumCompressionSize`: LocalStack has none."""

import gzip
from collections.abc import MutableMapping
from functools import lru_cache

LEVEL = 6
MOST_KEPT = 64
LARGEST_KEPT_BYTES = 1_000_000
"""Of an answer that is kept compressed."""
TEXTUAL = {"application/javascript", "application/json", "application/xml", "image/svg+xml"}
"""Beside `text/…` and what ends in `+json`: other media are compressed already."""


def compress(
    body: bytes, headers: MutableMapping[str, str], accept_encoding: str, minimum_bytes: int
) -> bytes:
    """The body as the client gets it; the headers are changed with it.

    Args:
        body: What the function answered.
        headers: The answer's.
        accept_encoding: The request's header.
        minimum_bytes: Size from which on answers are compressed.
    """
    if len(body) < minimum_bytes or not allows_gzip(accept_encoding) or not _is_compressible(headers):
        return body
    headers["Content-Encoding"] = "gzip"
    vary = headers.get("Vary")
    headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if "immutable" in headers.get("Cache-Control", "") and len(body) <= LARGEST_KEPT_BYTES:
        return _compressed_and_kept(body)
    return _compressed(body)


@lru_cache
def allows_gzip(accept_encoding: str) -> bool:
    """Whether a client that sent this header takes gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for each in accept_encoding.lower().split(","):
        coding, _, parameter = (part.strip() for part in each.partition(";"))
        weights[coding] = _weight(parameter)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _is_compressible(headers: MutableMapping[str, str]) -> bool:
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_textual = media_type.startswith("text/") or media_type.endswith("+json") or media_type in TEXTUAL
    return is_textual and "Content-Encoding" not in headers


def _compressed(body: bytes) -> bytes:
    # Without a time stamp the same body gives the same bytes.
    return gzip.compress(body, LEVEL, mtime=0)


# Assets never change: they are found by their content, so that even a wrong header does no harm.
_compressed_and_kept = lru_cache(MOST_KEPT)(_compressed)
