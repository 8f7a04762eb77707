# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, as a company's registry has one."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    cert_file: Path
    key_file: Path
    ca_file: Path


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file = self.directory / "ca.crt"
        ca = self._sign(_name("Test CA"), self._key.public_key(),
                        x509.BasicConstraints(ca=True, path_length=0))
        self._write(self.ca_file, ca)

    def issue(self, *hosts):
        """A server's certificate for host names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_alternative(h) for h in hosts])
        cert = self._sign(_name(hosts[0]), key.public_key(), names)
        files = Certificate(self.directory / f"{hosts[0]}.crt",
                            self.directory / f"{hosts[0]}.key", self.ca_file)
        self._write(files.cert_file, cert)
        files.key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return files

    def _sign(self, subject, public_key, extension):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder()
                .subject_name(subject).issuer_name(_name("Test CA"))
                .public_key(public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - DAY).not_valid_after(now + DAY)
                .add_extension(extension, critical=False)
                .sign(self._key, hashes.SHA256()))

    @staticmethod
    def _write(path, certificate):
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _alternative(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
