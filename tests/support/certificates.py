"""A throw-away certificate authority, for servers that the tests start."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files in PEM: who to trust, and what a server shows."""

    authority: Path
    certificate: Path
    key: Path

    def fingerprint(self) -> str:
        """Return the hash of the server's public key, as Chromium takes it."""
        certificate = load_pem_x509_certificate(self.certificate.read_bytes())
        key = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(key).digest()).decode()


def create_certificates(folder: Path, *names: str) -> Certificates:
    """Write an authority and one certificate for all *names* into *folder*.

    The certificate and its key are called after the first name, as in ``deploy/``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    certificates = Certificates(
        authority=folder / "authority.pem",
        certificate=folder / f"{names[0]}.crt",
        key=folder / f"{names[0]}.key",
    )
    authority = trustme.CA()
    leaf = authority.issue_cert(*names)
    authority.cert_pem.write_to_path(certificates.authority)
    for number, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(certificates.certificate, append=number > 0)
    leaf.private_key_pem.write_to_path(certificates.key)
    return certificates
