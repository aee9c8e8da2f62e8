"""What the front door compresses, and for whom."""

import gzip

import pytest
from process_executor.compression import allows_gzip, compress

MINIMUM_BYTES = 1024
TEXT = b"kWh " * 1000


def answered(
    body: bytes = TEXT, accept_encoding: str = "gzip", **headers: str
) -> tuple[bytes, dict[str, str]]:
    given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return compress(body, given, accept_encoding, MINIMUM_BYTES), given


@pytest.mark.parametrize(
    ("accept_encoding", "is_allowed"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP; q=0.5", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*;q=0", False),
        ("gzip;q=much", False),
    ],
)
def test_who_takes_gzip(accept_encoding: str, is_allowed: bool) -> None:
    assert allows_gzip(accept_encoding) == is_allowed


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html; charset=utf-8",
        "TEXT/CSS",
        "application/json",
        "application/problem+json",
        "application/javascript",
        "image/svg+xml",
    ],
)
def test_texts_are_compressed(media_type: str) -> None:
    body, headers = answered(Content_Type=media_type)

    assert gzip.decompress(body) == TEXT
    assert headers == {"Content-Type": media_type, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "image/png"},
        {"Content_Type": "application/octet-stream"},
        {"Content_Type": ""},
        {"Content_Encoding": "br"},
    ],
)
def test_what_is_compressed_already_stays(headers: dict[str, str]) -> None:
    body, answer = answered(**headers)

    assert body == TEXT
    assert answer.get("Content-Encoding") == headers.get("Content_Encoding")
    assert "Vary" not in answer


def test_small_answers_stay() -> None:
    small = TEXT[: MINIMUM_BYTES - 1]

    assert answered(small) == (small, {"Content-Type": "application/json"})
    assert answered(TEXT[:MINIMUM_BYTES])[1]["Content-Encoding"] == "gzip"


def test_a_cache_learns_of_it_beside_what_it_knows() -> None:
    assert answered(Vary="Origin")[1]["Vary"] == "Origin, Accept-Encoding"


def test_what_never_changes_is_compressed_once() -> None:
    asset = TEXT + b"once"
    first, _ = answered(asset, Cache_Control="public, max-age=31536000, immutable")
    again, _ = answered(bytes(bytearray(asset)), Cache_Control="public, max-age=31536000, immutable")

    assert again is first
    assert answered(asset)[0] is not first
    assert answered(asset)[0] == first
