"""A certificate authority of the test's own: name-constrained, its key in memory only, and certificates that are wrong."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# What this authority may vouch for (RFC 5280, 4.2.1.10): a client that trusts it by mistake trusts it for nothing else.
PERMITTED: Final = ("googleapis.com", "localhost")
NAMES: Final = ("googleapis.com", "*.googleapis.com", "localhost")
DAY: Final = timedelta(days=1)


class Authority:
    """Signs server certificates. `pem` is what clients are to trust."""

    def __init__(self, name: str = "keyadmin tests") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}: a CA for loopback only")])
        now = datetime.now(UTC)
        constraints = x509.NameConstraints(
            [*map(x509.DNSName, PERMITTED), x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))], None
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._cert = (
            _unsigned(self._name, self._name, self._key, now - DAY, now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._cert.public_bytes(serialization.Encoding.PEM)

    def context(self, folder: Path, names: tuple[str, ...] = NAMES, valid_from: timedelta = -DAY) -> ssl.SSLContext:
        """A server's TLS context for these names, both HTTP versions offered; valid for a month from `valid_from` on.

        Python's ssl reads keys from files alone: one is written to `folder` with mode 0600 and taken away again.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.now(UTC) + valid_from
        cert = (
            _unsigned(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), self._name, key, begin, begin + 30 * DAY)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = folder / f"{id(key)}.pem"
        path.touch(0o600)
        try:
            plain = serialization.NoEncryption()
            path.write_bytes(
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
                + cert.public_bytes(serialization.Encoding.PEM)
            )
            context.load_cert_chain(path)
        finally:
            path.unlink()
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
