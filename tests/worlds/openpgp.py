"""Keys and signatures made by gpg, and gpgv's own verdict on them."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.worlds.components import require

if TYPE_CHECKING:
    from collections.abc import Iterator

VERDICTS = ("GOODSIG", "BADSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG", "ERRSIG", "NODATA")


def statement(digest: str, **more: object) -> bytes:
    """Return the atomic container signature of a release digest; `more` replaces parts of it."""
    document = {
        "critical": {
            "type": "atomic container signature",
            "image": {"docker-manifest-digest": digest},
            "identity": {"docker-reference": "quay.io/openshift-release-dev/ocp-release:4.15.3-x86_64"},
        },
        "optional": {"creator": "Red Hat OpenShift Signing Authority 0.0.1", "timestamp": 1710000000},
        **more,
    }
    return json.dumps(document).encode()


class Gpg:
    """A gpg home with some secret keys."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def new_key(self, name: str, *options: str, expires: str = "never", algorithm: str = "ed25519") -> str:
        """Make a signing key and return its fingerprint."""
        self.run(*options, "--quick-gen-key", f"{name} <{name}@example.com>", algorithm, "sign", expires)
        listing = self.run("--list-keys", "--with-colons", f"{name}@example.com").decode()
        return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))

    def sign(self, content: bytes, key: str, *options: str) -> bytes:
        """Return the signed message, inline and binary unless options say otherwise."""
        how = () if any(o in options for o in ("--clearsign", "--detach-sign")) else ("--sign",)
        return self.run("--local-user", key, *options, *how, data=content)

    def export(self, *keys: str, armor: bool = True) -> bytes:
        """Return public keys."""
        return self.run(*(("--armor",) if armor else ()), "--export", *keys)

    def revoke(self, key: str) -> None:
        """Revoke a key with the certificate that gpg made at its birth."""
        text = (self.home / "openpgp-revocs.d" / f"{key}.rev").read_text()
        self.run("--import", data=text.replace(":-----BEGIN", "-----BEGIN").encode())

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        """Run gpg."""
        command: list[str | Path] = [require("gpg"), "--homedir", self.home, "--batch", "--yes", "--quiet", "--no-tty"]
        command += ["--pinentry-mode", "loopback", "--passphrase", "", "--no-permission-warning"]
        done = subprocess.run([*command, *arguments], input=data, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@contextmanager
def gpg() -> Iterator[Gpg]:
    """Run with a new home; a short path, since the agent's socket lies in it."""
    require("gpgv")
    home = Path(tempfile.mkdtemp(prefix="g", dir="/tmp"))
    try:
        yield Gpg(home)
    finally:
        subprocess.run(
            [require("gpgconf"), "--homedir", home, "--kill", "all"], capture_output=True, check=False, timeout=60
        )
        shutil.rmtree(home, ignore_errors=True)


def judge(signature: bytes, keyring: bytes, folder: Path) -> str:
    """Return the first verdict of gpgv about a signed message, with a binary keyring."""
    (folder / "keyring.gpg").write_bytes(keyring)
    (folder / "message.sig").write_bytes(signature)
    done = subprocess.run(
        [
            require("gpgv"), "--status-fd", "1", "--keyring", folder / "keyring.gpg",
            "--output", folder / "content", folder / "message.sig",
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    found = [line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith("[GNUPG:]")]
    return next((word for word in found if word in VERDICTS), "nothing")
