"""An authority and a server's certificate of the tests' own, made by openssl on the spot."""

import subprocess
from pathlib import Path

EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def authority(folder: Path, name: str) -> Path:
    """The file that a client is given to trust it; the key lies beside it."""
    certificate = folder / f"{name}.pem"
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    request(["-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", certificate, *extensions])
    return certificate


def server(signer: Path, name: str) -> tuple[Path, Path]:
    """Certificate and key for a name like IP:127.0.0.1."""
    certificate, key = signer.parent / "server.pem", signer.parent / "server.key"
    by = ["-CA", signer, "-CAkey", signer.with_suffix(".key")]
    extensions = ["-addext", f"subjectAltName={name}", "-addext", "basicConstraints=CA:FALSE"]
    request(["-subj", "/CN=a server", "-keyout", key, "-out", certificate, *by, *extensions])
    return certificate, key


def request(arguments: list[str | Path]) -> None:
    # Its configuration may not decide what the tests see.
    environment = {"OPENSSL_CONF": "/dev/null", "PATH": "/usr/bin:/bin"}
    command = ["openssl", "req", "-x509", "-batch", "-days", "2", *EC, *arguments]
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
