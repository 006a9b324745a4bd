"""Release signatures: what counts, cross-checked with gpgv, and where signatures and keys are found."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.components import require
from tests.worlds.openpgp import Gpg, gpg, judge, statement
from tests.worlds.registry_server import Handler, serve
from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.signatures.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

DIGEST = "sha256:" + "5e" * 32
OTHER = "sha256:" + "07" * 32
PAST = "20200101T000000"
NEXT_DAY = "20200102T000000"
"""What is done with a key of the past: the faked clock runs, and a slow machine made the key seconds after PAST."""


@dataclass
class Case:
    """One signature, the keys it is checked with, and what is to be said."""

    signature: bytes
    keys: tuple[str, ...]
    gpgv: str
    """The verdict of gpgv, `` where it is not asked."""
    accepted: bool
    says: str


@dataclass
class Signed:
    """Keys and signatures, made once."""

    home: Gpg
    keys: dict[str, str] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)

    def public(self, *names: str, armor: bool = True) -> bytes:
        return self.home.export(*(self.keys[name] for name in names), armor=armor)


@pytest.fixture(scope="module")
def signed() -> Iterator[Signed]:
    """Keys of every fate, and a signature for each case."""
    require("python:pysequoia")
    with gpg() as home:
        made = Signed(home)
        made.keys = {
            "red": home.new_key("red", algorithm="rsa2048"),
            "blue": home.new_key("blue"),
            "expired": home.new_key("expired", "--faked-system-time", PAST, expires="2020-06-01"),
            "revoked": home.new_key("revoked"),
            "subkeys": home.new_key("subkeys", "--faked-system-time", PAST),
            "withdrawn": home.new_key("withdrawn", "--faked-system-time", PAST),
            "old": home.new_key("old", "--faked-system-time", PAST),
        }
        red, blue = made.keys["red"], made.keys["blue"]
        content = statement(DIGEST)
        good = home.sign(content, red)
        flat = home.sign(content, red, "--compress-algo", "none")
        tampered = bytearray(flat)
        tampered[flat.index(b"5e5e")] ^= 1
        subkey = ("--faked-system-time", NEXT_DAY, "--quick-add-key")
        home.run(*subkey, made.keys["subkeys"], "ed25519", "sign", "2020-06-01")
        home.run(*subkey, made.keys["withdrawn"], "ed25519", "sign", "never")
        by_subkey = home.sign(content, made.keys["subkeys"], "--faked-system-time", "20200201T000000")
        by_withdrawn = home.sign(content, made.keys["withdrawn"])
        home.run(
            "--command-fd", "0", "--edit-key", made.keys["withdrawn"],
            data=b"key 1\nrevkey\ny\n0\n\ny\nsave\n",
        )  # fmt: skip
        was_valid = home.sign(content, made.keys["revoked"])
        home.revoke(made.keys["revoked"])
        in_time = home.sign(content, made.keys["expired"], "--faked-system-time", "20200201T000000")
        both = home.sign(content, blue, "--local-user", red)
        hoax = statement(DIGEST, extra="field")
        nobody = json.loads(content)
        nobody["critical"]["identity"]["docker-reference"] = ""
        typed = json.loads(content)
        typed["critical"]["type"] = "something else"
        bulky = statement(DIGEST, optional={"creator": base64.b85encode(bytes(range(256)) * 80).decode()})
        twice = content[:-1] + b"," + content[1:]
        made.cases = {
            "good, compressed": Case(good, ("red",), "GOODSIG", True, "signed by"),
            "good, not compressed": Case(flat, ("red",), "GOODSIG", True, "signed by"),
            "good, one of several keys": Case(good, ("blue", "red"), "GOODSIG", True, "red@example.com"),
            "without optional": Case(
                home.sign(statement(DIGEST, optional=None), red), ("red",), "GOODSIG", True, "signed by"
            ),
            "two signers": Case(both, ("red",), "", True, "red@example.com"),
            "tampered": Case(bytes(tampered), ("red",), "BADSIG", False, "no valid signature"),
            "cut off": Case(flat[:-20], ("red",), "", False, "no valid signature"),
            "unknown key": Case(good, ("blue",), "ERRSIG", False, "no valid signature"),
            "expired key": Case(in_time, ("expired",), "EXPKEYSIG", False, "expired on 2020-06-01"),
            "revoked key": Case(was_valid, ("revoked",), "REVKEYSIG", False, "no valid signature"),
            "expired subkey": Case(by_subkey, ("subkeys",), "EXPKEYSIG", False, "expired on 2020-06-01"),
            "revoked subkey": Case(by_withdrawn, ("withdrawn",), "REVKEYSIG", False, "no valid signature"),
            "wrong digest": Case(home.sign(statement(OTHER), red), ("red",), "GOODSIG", False, "of another digest"),
            "unknown field": Case(home.sign(hoax, red), ("red",), "GOODSIG", False, "unknown field 'extra'"),
            "key that appears twice": Case(home.sign(twice, red), ("red",), "GOODSIG", False, "not valid JSON"),
            "no identity": Case(
                home.sign(json.dumps(nobody).encode(), red), ("red",), "GOODSIG", False, "names no image"
            ),
            "another type": Case(
                home.sign(json.dumps(typed).encode(), red), ("red",), "GOODSIG", False, "its type is not"
            ),
            "no JSON": Case(home.sign(b"hello", red), ("red",), "GOODSIG", False, "not valid JSON"),
            "JSON list": Case(home.sign(b"[]", red), ("red",), "GOODSIG", False, "not a container signature"),
            "oversized": Case(
                home.sign(bulky, red, "--compress-algo", "none"), ("red",), "GOODSIG", False, "more than the 16384"
            ),
            "clear-signed": Case(
                home.sign(content, red, "--clearsign"), ("red",), "GOODSIG", False, "not a signed OpenPGP message"
            ),
            "armored": Case(
                home.sign(content, red, "--armor"), ("red",), "", False, "not a signed OpenPGP message"
            ),
            "detached": Case(home.sign(content, red, "--detach-sign"), ("red",), "", False, "no valid signature"),
            "SHA-1": Case(home.sign(content, red, "--digest-algo", "SHA1"), ("red",), "", False, "no valid signature"),
            "expired signature": Case(
                home.sign(content, made.keys["old"], "--faked-system-time", NEXT_DAY, "--default-sig-expire", "2d"),
                ("old",),
                "EXPSIG",
                False,
                "no valid signature",
            ),
            "signature of the future": Case(
                home.sign(content, blue, "--faked-system-time", "20990101T000000"),
                ("blue",),
                "",
                False,
                "no valid signature",
            ),
            "not signed at all": Case(home.run("--store", data=content), ("red",), "", False, "no valid signature"),
            "noise": Case(b"\xa3\x01" + bytes(range(256)), ("red",), "", False, "no valid signature"),
            "empty": Case(b"", ("red",), "", False, "not a signed OpenPGP message"),
        }  # fmt: skip
        yield made


CASES = (
    "good, compressed", "good, not compressed", "good, one of several keys", "without optional", "two signers",
    "tampered", "cut off", "unknown key", "expired key", "revoked key", "expired subkey", "revoked subkey",
    "wrong digest", "unknown field", "key that appears twice", "no identity", "another type", "no JSON", "JSON list",
    "oversized", "clear-signed", "armored", "detached", "SHA-1", "expired signature", "signature of the future",
    "not signed at all", "noise",
    "empty",
)  # fmt: skip


def check(keys: bytes, signature: bytes, folder: Path, *, digest: str = DIGEST, **settings: Any) -> tuple[bool, str]:
    where = folder / digest.replace(":", "=")
    where.mkdir(parents=True)
    (folder / "keys.asc").write_bytes(keys)
    (where / "signature-1").write_bytes(signature)
    return verify(digest, Settings(signatures=(folder,), **settings))


@pytest.mark.parametrize("name", CASES)
def test_signature(name: str, signed: Signed, tmp_path: Path) -> None:
    case = signed.cases[name]

    accepted, sentence = check(signed.public(*case.keys), case.signature, tmp_path / "s")

    assert accepted is case.accepted
    assert case.says in sentence
    assert "\n" not in sentence
    if case.gpgv:
        assert judge(case.signature, signed.public(*case.keys, armor=False), tmp_path) == case.gpgv
    if accepted:
        assert judge(case.signature, signed.public(*case.keys, armor=False), tmp_path) in ("GOODSIG", "ERRSIG")


def test_every_case_is_run(signed: Signed) -> None:
    assert set(CASES) == set(signed.cases)


def test_sentence_names_the_key(signed: Signed, tmp_path: Path) -> None:
    _, sentence = check(signed.public("red"), signed.cases["good, compressed"].signature, tmp_path)

    assert sentence == f"signed by {signed.keys['red'][-16:]} (red <red@example.com>)"


def test_key_that_will_expire_counts_until_then(signed: Signed, tmp_path: Path) -> None:
    key = signed.home.new_key("soon", expires="2d")
    signature = signed.home.sign(statement(DIGEST), key)
    (tmp_path / "key.asc").write_bytes(signed.home.export(key))
    (tmp_path / f"{DIGEST.replace(':', '-')}-1").write_bytes(signature)
    settings = Settings(signatures=(tmp_path,))
    now = datetime.now(UTC)

    assert verify(DIGEST, settings, now=now)[0] is True
    assert verify(DIGEST, settings, now=now + timedelta(days=3))[0] is False


@pytest.mark.parametrize("armor", [True, False])
def test_keyring_may_be_armored_or_binary(armor: bool, signed: Signed, tmp_path: Path) -> None:
    keys = signed.public("blue", "red", armor=armor)

    assert check(keys, signed.cases["good, compressed"].signature, tmp_path)[0] is True


def test_concatenated_armored_keys_with_text_between_them(signed: Signed, tmp_path: Path) -> None:
    keys = b"pub 4096R\n" + signed.public("blue") + b"\nuid something\n" + signed.public("red")

    assert check(keys, signed.cases["good, compressed"].signature, tmp_path)[0] is True


def test_broken_key_is_told_and_nothing_is_verified(signed: Signed, tmp_path: Path) -> None:
    broken = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"

    accepted, sentence = check(broken, signed.cases["good, compressed"].signature, tmp_path)

    assert accepted is False
    assert "cannot be read" in sentence


# --- where signatures and keys are found ---


def signature_map(signature: bytes, digest: str = DIGEST, **more: Any) -> dict[str, Any]:
    name = digest.replace(":", "-")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"release.openshift.io/verification-signatures": ""}},
        "binaryData": {f"{name}-1": base64.b64encode(signature).decode()},
        **more,
    }


def trust_map(keys: Mapping[str, bytes], **stores: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "release-verification",
            "namespace": "openshift-config-managed",
            "annotations": {"release.openshift.io/verification-config-map": ""},
        },
        "data": {
            **{f"verifier-public-key-{name}": key.decode() for name, key in keys.items()},
            **{f"store-{name.replace('_', '-')}": url for name, url in stores.items()},
        },
    }


def good(signed: Signed) -> bytes:
    return signed.cases["good, compressed"].signature


def test_config_maps_of_the_cluster(signed: Signed) -> None:
    maps = (trust_map({"redhat": signed.public("red")}), signature_map(good(signed)))

    assert verify(DIGEST, Settings(signature_configmaps=maps))[0] is True
    assert verify(OTHER, Settings(signature_configmaps=maps)) == (
        False,
        "no valid signature for keyring verifier-public-key-redhat: none was found",
    )


def test_every_keyring_of_the_cluster_must_have_signed(signed: Signed) -> None:
    trust = trust_map({"redhat": signed.public("red"), "second": signed.public("blue")})
    by_blue = signed.home.sign(statement(DIGEST), signed.keys["blue"])
    one = (trust, signature_map(good(signed)))
    two = (*one, signature_map(by_blue))

    accepted, sentence = verify(DIGEST, Settings(signature_configmaps=one))

    assert accepted is False
    assert "keyring verifier-public-key-second" in sentence
    assert verify(DIGEST, Settings(signature_configmaps=two))[0] is True


def test_keys_the_user_names_replace_those_of_the_cluster(signed: Signed, tmp_path: Path) -> None:
    (tmp_path / "mine.asc").write_bytes(signed.public("red"))
    maps = (trust_map({"redhat": signed.public("blue")}), signature_map(good(signed)))

    assert verify(DIGEST, Settings(signature_configmaps=maps))[0] is False
    assert verify(DIGEST, Settings(signature_configmaps=maps, signatures=(tmp_path / "mine.asc",)))[0] is True


@pytest.mark.parametrize("folder", ["config", "signatures", "release-signatures", "."])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_mirror_folder_gives_signatures(folder: str, suffix: str, signed: Signed, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    (mirror / folder).mkdir(parents=True)
    (mirror / folder / f"signature-sha256-5e5e5e5e.{suffix}").write_text(json.dumps(signature_map(good(signed))))
    trust = (trust_map({"redhat": signed.public("red")}),)

    assert verify(DIGEST, Settings(signature_configmaps=trust), mirror)[0] is True
    assert verify(DIGEST, Settings(signature_configmaps=trust))[0] is False


def test_mirror_folder_gives_no_keys(signed: Signed, tmp_path: Path) -> None:
    """Whoever wrote the mirror wrote the release: its keys prove nothing."""
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "signature.json").write_text(json.dumps(signature_map(good(signed))))
    (folder / "trust.json").write_text(json.dumps(trust_map({"redhat": signed.public("red")})))
    (folder / "key.asc").write_bytes(signed.public("red"))

    accepted, sentence = verify(DIGEST, Settings(), tmp_path)

    assert accepted is False
    assert "no public key was given" in sentence


def test_files_of_every_kind(signed: Signed, tmp_path: Path) -> None:
    trust = tmp_path / "release-verification.yaml"
    trust.write_text("---\n" + json.dumps(trust_map({"redhat": signed.public("red")})) + "\n---\nkind: Other\n")
    listing = tmp_path / "configmaps.json"
    listing.write_text(json.dumps({"kind": "ConfigMapList", "items": [signature_map(good(signed))]}))
    loose = tmp_path / "release.sig"
    loose.write_bytes(good(signed))

    assert verify(DIGEST, Settings(signatures=(trust, listing)))[0] is True
    assert verify(DIGEST, Settings(signatures=(trust, loose)))[0] is True
    assert verify(OTHER, Settings(signatures=(trust, loose)))[0] is False


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("absent", None, "does not exist"), ("x.yaml", "a: [", "x.yaml:"), ("x.json", "[" * 60_000, "x.json")],
)
def test_file_that_cannot_be_read_is_a_usage_error(name: str, content: str | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)

    with pytest.raises(UsageError, match=says):
        verify(DIGEST, Settings(signatures=(path,)))


@pytest.mark.parametrize("data", ["not base64!", 7, None])
def test_config_map_with_odd_values_gives_no_signature(data: Any, signed: Signed) -> None:
    odd = signature_map(b"", binaryData={"sha256-" + "5e" * 32 + "-1": data})
    trust = trust_map({"redhat": signed.public("red")})
    trust["data"]["verifier-public-key-number"] = 7

    assert verify(DIGEST, Settings(signature_configmaps=(trust, odd)))[0] is False


# --- verify off, auto and require ---


def test_off_checks_nothing(signed: Signed) -> None:
    maps = (trust_map({"redhat": signed.public("red")}), signature_map(good(signed)))

    assert verify(DIGEST, Settings(signature_configmaps=maps, verify="off")) == (
        False,
        "signatures were not checked (--verify off)",
    )


@pytest.mark.parametrize("mode", ["auto", "require"])
def test_without_keys_nothing_is_verified(mode: str) -> None:
    accepted, sentence = verify(DIGEST, Settings(verify=mode, offline=True))

    assert accepted is False
    assert "no public key was given" in sentence


def test_what_is_no_digest_cannot_be_verified() -> None:
    assert verify("", Settings())[0] is False


class SignatureStore(Handler):
    """A signature store: the state maps a path to a body."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer one request."""
        state: dict[str, Any] = self.server.state  # type: ignore[attr-defined]
        state["asked"].append(self.path)
        body = state.get(self.path)
        self.answer(404 if body is None else 200, body or b"")


def test_store_on_the_network_is_asked_only_under_require(signed: Signed) -> None:
    path = f"/store/{DIGEST.replace(':', '=')}/signature-"
    state: dict[str, Any] = {f"{path}1": signed.cases["tampered"].signature, f"{path}2": good(signed), "asked": []}
    with serve(SignatureStore, state) as host:
        maps = (trust_map({"redhat": signed.public("red")}, one=f"http://{host}/store"),)

        assert verify(DIGEST, Settings(signature_configmaps=maps))[0] is False
        assert verify(DIGEST, Settings(signature_configmaps=maps, verify="require", offline=True))[0] is False
        assert state["asked"] == []
        assert verify(DIGEST, Settings(signature_configmaps=maps, verify="require"))[0] is True

    assert state["asked"] == [f"{path}1", f"{path}2"]


def test_stores_that_have_nothing_are_told(signed: Signed, tmp_path: Path) -> None:
    state: dict[str, Any] = {f"/big/{DIGEST.replace(':', '=')}/signature-1": bytes(20_000), "asked": []}
    with serve(SignatureStore, state) as host:
        keys = {"redhat": signed.public("red")}
        maps = (trust_map(keys, a=f"http://{host}/none", b=f"http://{host}/big", c=f"file://{tmp_path}", d="ftp://x"),)
        accepted, sentence = verify(DIGEST, Settings(signature_configmaps=maps, verify="require"))

    assert accepted is False
    assert f"{host} has no signature of it (404)" in sentence
    assert "20000 bytes, more than the 16384" in sentence
    assert "ftp://x is not an address" in sentence


def test_store_in_a_folder(signed: Signed, tmp_path: Path) -> None:
    folder = tmp_path / DIGEST.replace(":", "=")
    folder.mkdir()
    (folder / "signature-1").write_bytes(good(signed))
    maps = (trust_map({"redhat": signed.public("red")}, local=f"file://{tmp_path}"),)

    assert verify(DIGEST, Settings(signature_configmaps=maps, verify="require"))[0] is True


WITHOUT_SEQUOIA = """
import importlib.util
importlib.util.find_spec = lambda name, package=None: None
from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.signatures.verification import verify
print(verify("sha256:" + "5e" * 32, Settings()))
try:
    verify("sha256:" + "5e" * 32, Settings(verify="require"))
except UsageError as exc:
    print(exc)
"""


def test_without_pysequoia_require_is_a_usage_error_that_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SEQUOIA], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    auto, require_said = done.stdout.splitlines()
    assert "extra `verify` is not installed" in auto
    assert "upgrade-gate[verify]" in require_said
