"""The front door's certificate."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from enms_local.stack import certificates

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def names_of(certificate: Path) -> set[str]:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def test_is_for_localhost_and_the_listen_address(tmp_path: Path) -> None:
    files, made = certificates.ensure(tmp_path, "192.0.2.7", NOW)

    assert made
    assert names_of(files.certificate) == {"localhost", "127.0.0.1", "::1", "192.0.2.7"}


def test_for_all_addresses_it_names_those_of_the_machine(tmp_path: Path) -> None:
    files, _ = certificates.ensure(tmp_path, "0.0.0.0", NOW)

    names = names_of(files.certificate)

    assert {"localhost", "127.0.0.1"} < names
    assert not {name for name in names if name == "0.0.0.0"}


def test_is_signed_by_the_authority_beside_it(tmp_path: Path) -> None:
    files, _ = certificates.ensure(tmp_path, "127.0.0.1", NOW)

    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())

    certificate.verify_directly_issued_by(authority)
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_is_kept_while_it_fits(tmp_path: Path) -> None:
    files, _ = certificates.ensure(tmp_path, "127.0.0.1", NOW)
    before = files.certificate.read_bytes()

    _, made = certificates.ensure(tmp_path, "127.0.0.1", NOW + timedelta(days=300))

    assert not made
    assert files.certificate.read_bytes() == before


def test_is_made_again_before_it_ends_for_another_address_and_when_half_is_gone(tmp_path: Path) -> None:
    files, _ = certificates.ensure(tmp_path, "127.0.0.1", NOW)
    assert certificates.ensure(tmp_path, "127.0.0.1", NOW + timedelta(days=390))[1]
    assert certificates.ensure(tmp_path, "192.0.2.7", NOW + timedelta(days=390))[1]
    files.key.unlink()
    assert certificates.ensure(tmp_path, "192.0.2.7", NOW + timedelta(days=390))[1]


def test_only_we_may_read_the_key(tmp_path: Path) -> None:
    files, _ = certificates.ensure(tmp_path, "127.0.0.1", NOW)

    assert files.key.stat().st_mode & 0o077 == 0
    assert ipaddress.ip_address("127.0.0.1").compressed in names_of(files.certificate)
