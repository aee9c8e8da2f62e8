"""The front door's certificate: an authority made for this checkout, and one certificate signed by it."""

import ipaddress
import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enms_local.stack.processes import write_whole
from enms_local.stack.settings import ALL_ADDRESSES

VALID_FOR = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class CertificateFiles:
    """Where the certificate lies.

    Attributes:
        authority: What callers trust: `curl --cacert`.
        certificate: What the front door shows.
        key: Its private key.
    """

    authority: Path
    certificate: Path
    key: Path


def files_in(folder: Path) -> CertificateFiles:
    """The files' places, whether they exist or not."""
    return CertificateFiles(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")


def ensure(folder: Path, listen: str, now: datetime) -> tuple[CertificateFiles, bool]:
    """Makes a certificate for `localhost` and the listen address, unless a fitting one is there.

    Args:
        folder: Where the files lie.
        listen: Address of the public listeners; for all addresses the certificate names all of them.
        now: The present instant.

    Returns:
        The files, and whether they were made anew.
    """
    files = files_in(folder)
    names = _names(listen)
    if _fits(files, names, now):
        return files, False
    folder.mkdir(parents=True, exist_ok=True)
    authority, certificate, key = _make(names, now)
    write_whole(files.key, key)
    write_whole(files.certificate, certificate, 0o644)
    write_whole(files.authority, authority, 0o644)
    write_whole(folder / "names.json", json.dumps(names))
    return files, True


def _names(listen: str) -> list[str]:
    names = {"localhost", "127.0.0.1", "::1"}
    if listen in ALL_ADDRESSES:
        names.add(socket.gethostname())
        addresses = (address for card in psutil.net_if_addrs().values() for address in card)
        internet = (socket.AF_INET, socket.AF_INET6)
        names.update(a.address for a in addresses if a.family in internet and "%" not in a.address)
    else:
        names.add(listen)
    return sorted(names)


def _fits(files: CertificateFiles, names: list[str], now: datetime) -> bool:
    try:
        made_for = json.loads((files.key.parent / "names.json").read_text())
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        complete = files.authority.stat().st_size and files.key.stat().st_size
    except (FileNotFoundError, ValueError):
        return False
    return bool(complete) and made_for == names and certificate.not_valid_after_utc - RENEW_BEFORE > now


def _make(names: list[str], now: datetime) -> tuple[str, str, str]:
    """Authority, certificate, key as PEM; the authority's own key is forgotten, so it signs nothing else."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EnMS Analytics, local authority")])
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EnMS Analytics, front door")])
    certificate = (
        _builder(subject, authority_name, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    return (
        authority.public_bytes(serialization.Encoding.PEM).decode(),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    an_hour_ago = now.astimezone(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(an_hour_ago)
        .not_valid_after(an_hour_ago + VALID_FOR)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs_certificates,
        crl_sign=signs_certificates, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
