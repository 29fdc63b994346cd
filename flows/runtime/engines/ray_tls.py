"""Encrypted connections in a Ray cluster: each machine has a certificate of an authority that only its key can make.

The authority's private key is derived from the cluster's key, so there is nothing else to copy: who has the key can
make a certificate that the others accept, and nobody else. Ray checks the addresses in it.
"""

import hashlib
import ipaddress
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runtime.environment import STATE
from flows.runtime.private_file import make_private_file
from flows.runtime.private_folder import make_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, GeneralName, Name

FOLDER = STATE / "ray-tls"
"""Certificates and key of this machine, for Ray's processes, which read files."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of the curve NIST P-256: a private key is a number from 1 to one less."""
_VALID = timedelta(days=3650)
_CLOCKS = timedelta(days=2)
"""Machines may disagree on the time by so much."""


def encrypt_ray(secret: str, host: str = "", folder: Path = FOLDER) -> dict[str, str]:
    """Write certificates for this process and those that it starts; return the variables by which Ray finds them.

    Args:
        secret: the key of the cluster.
        host: an address by which others reach this machine, if it does not know that itself.
        folder: where they are written; those of processes that have ended are removed.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority = _authority_key(secret)
    own = ec.generate_private_key(ec.SECP256R1())
    pem = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    contents = {
        "RAY_TLS_SERVER_KEY": pem,
        "RAY_TLS_SERVER_CERT": _certificate(own, authority, sorted({*addresses_here(), host} - {""})),
        "RAY_TLS_CA_CERT": _certificate(authority, authority, ()),
    }
    make_private(folder)
    for path in folder.glob("*-*.pem"):
        if path.name.startswith(f"{os.getpid()}-") or not _is_running(path.name.partition("-")[0]):
            path.unlink(missing_ok=True)
    found = {"RAY_USE_TLS": "1"}
    for name, content in contents.items():
        path = folder / f"{os.getpid()}-{name.lower()}.pem"
        make_private_file(path, content.decode)
        found[name] = str(path.absolute())
    return found


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True


def addresses_here() -> list[str]:
    """Return the addresses of this machine, as its peers may know it."""
    import psutil

    kinds = (socket.AF_INET, socket.AF_INET6)
    found = [each.address for own in psutil.net_if_addrs().values() for each in own if each.family in kinds]
    return sorted({address.partition("%")[0] for address in found} | {"127.0.0.1"})


def _authority_key(secret: str) -> "EllipticCurvePrivateKey":
    """Return the private key that every machine derives from the cluster's key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    # 512 bits, so that the remainder is as good as even; the label keeps it apart from other uses of the key.
    number = int.from_bytes(hashlib.blake2b(secret.encode(), person=b"nasgem ray tls").digest(), "big")
    return ec.derive_private_key(1 + number % (_ORDER - 1), ec.SECP256R1())


def _certificate(
    key: "EllipticCurvePrivateKey", authority: "EllipticCurvePrivateKey", addresses: Sequence[str]
) -> bytes:
    """Return a certificate in PEM, the authority's own where there are no addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    def name(words: str) -> "Name":
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

    now, is_authority = datetime.now(UTC), not addresses
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("nasgem cluster" if is_authority else "nasgem machine"))
        .issuer_name(name("nasgem cluster"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
    )
    if addresses:
        known: list[GeneralName] = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
        for address in addresses:
            try:
                known.append(x509.IPAddress(ipaddress.ip_address(address)))
            except ValueError:
                known.append(x509.DNSName(address))
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
    made: Certificate = builder.sign(authority, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)
