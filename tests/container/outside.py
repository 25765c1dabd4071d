"""What steps that fetch packages need of the machine: handed through while they run, and never left in a tree."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
from pathlib import Path

#: Below this folder the machine's files are seen.
SEEN = "/run/outside"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: Options of pip that say where packages come from, and how.
OPTIONS = {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries"}


def environment() -> dict[str, str]:
    """Proxies, certificates, pip's index and apt's options, as the machine has them."""
    found = {name: os.environ[name] for name in PROXIES if name in os.environ}
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    for _, name, value in re.findall(r"^(global|install|download|:env:)\.([\w-]+)='(.*)'$", told, re.M):
        if name in OPTIONS:
            found[f"PIP_{name.upper().replace('-', '_')}"] = value
    found |= {"PIP_CACHE_DIR": f"{SEEN}/pip", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "APT_CONFIG": f"{SEEN}/apt.conf"}
    authorities = f"{SEEN}/authorities.crt"
    return found | dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), authorities)


def files(folder: Path) -> dict[str, str]:
    """Where the machine's files are, by where they are seen; what has to be made is made in the folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simgate" / "pip"
    cache.mkdir(parents=True, exist_ok=True)
    options = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    ways = [line for line in options.splitlines() if re.match(r"Acquire::(https?|ftp)::(Proxy|CaInfo)\b", line, re.I)]
    (folder / "apt.conf").write_text("".join(f"{line}\n" for line in ways))
    (folder / "resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
    authorities = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return {
        "/etc/resolv.conf": str(folder / "resolv.conf"),
        f"{SEEN}/apt.conf": str(folder / "apt.conf"),
        f"{SEEN}/authorities.crt": str(authorities),
        f"{SEEN}/pip": str(cache),
    }
