"""Certificates by openssl, as operators make them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True)
class Pair:
    """A certificate and its key in PEM."""

    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        """As `ServerSettings` names them."""
        return {"tls_certificate": str(self.certificate), "tls_key": str(self.key)}

    def replace(self, other: Pair) -> None:
        """Nothing; the files have another pair's content, as a copy in place leaves them."""
        self.certificate.write_bytes(other.certificate.read_bytes())
        self.key.write_bytes(other.key.read_bytes())


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        openssl(
            "req", "-x509", "-days", "2", *KEY, "-subj", "/CN=ca", "-keyout", self._key, "-out", self.certificate
        )  # fmt: skip

    def issue(self, name: str, days: int = 2) -> Pair:
        """A certificate for 127.0.0.1 and localhost; expired yesterday with -1 days."""
        request, made = self.folder / f"{name}.csr", Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        openssl("req", *KEY, "-subj", f"/CN={name}", "-addext", names, "-keyout", made.key, "-out", request)
        signer = ["-CA", self.certificate, "-CAkey", self._key, "-copy_extensions", "copy"]
        openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", made.certificate)
        return made


def mounted(folder: Path, pair: Pair) -> Pair:
    """The pair behind two symbolic links, as Kubernetes mounts a secret; called again, it swaps them at once."""
    data = folder / f"..{pair.certificate.stem}"
    data.mkdir(parents=True)
    Pair(data / "tls.crt", data / "tls.key").replace(pair)
    swap = folder / "..swap"
    swap.symlink_to(data.name)
    os.replace(swap, folder / "..data")
    for name in ("tls.crt", "tls.key"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    return Pair(folder / "tls.crt", folder / "tls.key")


def openssl(*arguments: str | Path) -> None:
    """Nothing; openssl did it."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
