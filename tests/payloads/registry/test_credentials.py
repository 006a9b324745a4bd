"""Which credential answers for a repository: files in their order, keys in theirs, helpers, broken files."""

from __future__ import annotations

import base64
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.registry.credentials import CredentialStore

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret-pa55"


def auth(user: str, password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any credential file and without variables that name one."""
    for name in (
        "REGISTRY_AUTH_FILE",
        "REGISTRY_AUTH_PREFERENCE",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "DOCKER_CONFIG",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def user_for(repository: str, file: Path) -> str | None:
    found = CredentialStore(Settings(registry_config=file)).find(repository)
    return found.username if found else None


@pytest.mark.parametrize(
    ("key", "repository", "matches"),
    [
        ("quay.io/org/release", "quay.io/org/release", True),
        ("quay.io/org", "quay.io/org/release", True),
        ("quay.io", "quay.io/org/release", True),
        ("quay.io/org/rel", "quay.io/org/release", False),
        ("quay.io/other", "quay.io/org/release", False),
        ("https://quay.io", "quay.io/org/release", True),
        ("https://quay.io/v2/", "quay.io/org/release", True),
        ("http://quay.io/v1/", "quay.io/org/release", True),
        ("mirror.corp:5000", "mirror.corp:5000/ocp/release", True),
        ("mirror.corp:5000/ocp", "mirror.corp:5000/ocp/release", True),
        ("mirror.corp", "mirror.corp:5000/ocp/release", False),
        ("mirror.corp:5000", "mirror.corp/ocp/release", False),
        ("mirror.corp:443", "mirror.corp/ocp/release", False),
        ("mirror.corp", "mirror.corp:443/ocp/release", False),
        ("http://mirror.corp", "mirror.corp:80/ocp/release", False),
        ("https://index.docker.io/v1/", "docker.io/org/release", True),
        ("index.docker.io", "docker.io/org/release", True),
        ("registry-1.docker.io", "docker.io/org/release", True),
        ("docker.io", "registry-1.docker.io/org/release", True),
        ("quay.io", "docker.io/org/release", False),
    ],
)
def test_key_answers_for_repository(key: str, repository: str, matches: bool, tmp_path: Path) -> None:
    file = write(tmp_path / "auth.json", {"auths": {key: auth("alice")}})

    assert user_for(repository, file) == ("alice" if matches else None)


def test_most_specific_key_wins_over_the_host(tmp_path: Path) -> None:
    keys = {"quay.io": auth("host"), "quay.io/org": auth("organisation"), "quay.io/org/release": auth("repository")}
    file = write(tmp_path / "auth.json", {"auths": keys})

    assert user_for("quay.io/org/release", file) == "repository"
    assert user_for("quay.io/org/other", file) == "organisation"
    assert user_for("quay.io/else/other", file) == "host"


def test_entry_without_content_is_no_entry(tmp_path: Path) -> None:
    file = write(tmp_path / "auth.json", {"auths": {"quay.io/org": {}, "quay.io": auth("alice")}})

    assert user_for("quay.io/org/release", file) == "alice"


def test_fields_of_an_entry(tmp_path: Path) -> None:
    auths = {
        "one": {"username": "bob", "password": SECRET},
        "two": {"identitytoken": "refresh", **auth("00000000-0000-0000-0000-000000000000", "")},
        "three": {"registrytoken": "bearer"},
        "four": auth("colon", "pass:with:colons"),
    }
    store = CredentialStore(Settings(registry_config=write(tmp_path / "auth.json", {"auths": auths})))

    one, two, three, four = (store.find(name) for name in ("one", "two", "three", "four"))

    assert one is not None
    assert (one.username, one.password) == ("bob", SECRET)
    assert two is not None
    assert two.identity_token == "refresh"
    assert three is not None
    assert three.registry_token == "bearer"
    assert four is not None
    assert four.password == "pass:with:colons"


def test_files_are_looked_through_in_podmans_and_dockers_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, config, docker = home / "run", home / "xdg", home / "docker"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(docker))
    places = [
        (runtime / "containers/auth.json", "runtime"),
        (config / "containers/auth.json", "config"),
        (docker / "config.json", "docker-config"),
        (home / ".docker/config.json", "docker"),
    ]
    for path, name in places:
        write(path, {"auths": {"quay.io": auth(name)}})
    legacy = write(home / ".dockercfg", {"https://quay.io": auth("legacy")})

    found = []
    for path, _ in places:
        credential = CredentialStore(Settings()).find("quay.io/org/release")
        assert credential is not None
        found.append(credential.username)
        path.unlink()
    last = CredentialStore(Settings()).find("quay.io/org/release")

    assert found == [name for _, name in places]
    assert last is not None
    assert last.username == "legacy"
    assert str(legacy) in last.source


def test_default_of_xdg_config_home_is_dot_config(home: Path) -> None:
    write(home / ".config/containers/auth.json", {"auths": {"quay.io": auth("config")}})

    found = CredentialStore(Settings()).find("quay.io/org")

    assert found is not None
    assert found.username == "config"


def test_docker_preference_puts_dockers_files_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".config/containers/auth.json", {"auths": {"quay.io": auth("podman")}})
    write(home / ".docker/config.json", {"auths": {"quay.io": auth("docker")}})

    first = CredentialStore(Settings()).find("quay.io/org")
    monkeypatch.setenv("REGISTRY_AUTH_PREFERENCE", "docker")
    second = CredentialStore(Settings()).find("quay.io/org")

    assert first is not None
    assert first.username == "podman"
    assert second is not None
    assert second.username == "docker"


def test_specific_key_of_a_later_file_wins_over_the_host_in_an_earlier_one(home: Path) -> None:
    write(home / ".config/containers/auth.json", {"auths": {"quay.io": auth("host")}})
    write(home / ".docker/config.json", {"auths": {"quay.io/org": auth("organisation")}})

    found = CredentialStore(Settings()).find("quay.io/org/release")

    assert found is not None
    assert found.username == "organisation"


def test_named_file_stands_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".docker/config.json", {"auths": {"quay.io": auth("docker")}})
    named = write(tmp_path / "named.json", {"auths": {"other.io": auth("named")}})
    option = write(tmp_path / "option.json", {"auths": {"other.io": auth("option")}})
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(named))

    by_variable = CredentialStore(Settings())
    by_option = CredentialStore(Settings(registry_config=option)).find("other.io/x")

    assert by_variable.find("quay.io/org") is None
    found = by_variable.find("other.io/x")
    assert found is not None
    assert found.username == "named"
    assert by_option is not None
    assert by_option.username == "option"


def test_pull_secret_of_the_cluster_is_used_before_the_users_own_files(home: Path) -> None:
    write(home / ".docker/config.json", {"auths": {"quay.io": auth("docker")}})
    secret = json.dumps({"auths": {"quay.io": auth("cluster")}}).encode()

    found = CredentialStore(Settings(pull_secret=secret)).find("quay.io/org")

    assert found is not None
    assert found.username == "cluster"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        ('{"auths": []}', "`auths` is not an object"),
        (json.dumps({"auths": {"quay.io": {"auth": "bm8gY29sb24="}}}), "base64 of user:password"),
        (json.dumps({"auths": {"quay.io": {"auth": f"{SECRET}%"}}}), "base64 of user:password"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_named_file_that_is_broken_is_a_usage_error(content: str, says: str, tmp_path: Path) -> None:
    file = write(tmp_path / "auth.json", content)

    with pytest.raises(UsageError, match=says) as caught:
        CredentialStore(Settings(registry_config=file)).find("quay.io/org")

    assert "auth.json" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


KEY = base64.b64encode(b"u:pw").decode()


@pytest.mark.parametrize("text", [KEY, KEY + "\n", KEY + "\r\n", KEY[:4] + "\n" + KEY[4:], KEY.rstrip("=")])
def test_auth_is_read_as_go_reads_it(text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "auth.json", {"auths": {"quay.io": {"auth": text}}})
    found = CredentialStore(Settings(registry_config=file)).find("quay.io/org")
    assert found is not None
    assert (found.username, found.password) == ("u", "pw")


@pytest.mark.parametrize(
    "entry",
    ["text", 5, [], {"auth": 5}, {"auth": "%%%"}, {"auth": base64.b64encode(b"key").decode()}, {"auth": KEY + " "}],
)
def test_an_entry_that_cannot_be_read_stops_only_its_own_registry(
    entry: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(tmp_path / "auth.json", {"auths": {"other.example.com": entry, "quay.io": {"auth": KEY}}})
    store = CredentialStore(Settings(registry_config=file))
    found = store.find("quay.io/org")
    assert found is not None
    assert "entry other.example.com: `auth` is not base64" in caplog.text
    with pytest.raises(UsageError, match=r"entry other\.example\.com"):
        store.find("other.example.com/a/b")


def _secret(**more: object) -> dict[str, object]:
    inner = base64.b64encode(json.dumps({"auths": {"quay.io": {"auth": KEY}}}).encode()).decode()
    return {"apiVersion": "v1", "kind": "Secret", "data": {".dockerconfigjson": inner}, **more}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_secret()),
        yaml.safe_dump(_secret()),
        json.dumps({"kind": "List", "items": [_secret()]}),
        json.dumps(
            _secret(data={".dockercfg": base64.b64encode(json.dumps({"quay.io": {"auth": KEY}}).encode()).decode()})
        ),
    ],
)
def test_a_secret_is_unwrapped(text: str, tmp_path: Path) -> None:
    assert user_for("quay.io/org", write(tmp_path / "auth.json", text)) == "u"


@pytest.mark.parametrize(
    "secret",
    [
        _secret(data=None),
        _secret(data={"tls.key": "x"}),
        _secret(data={".dockerconfigjson": "e30"[:1]}),
        _secret(data={".dockerconfigjson": "24 bytes long"}),
        {"kind": "List", "items": [_secret(), _secret()]},
        {"kind": "SecretList", "items": 5},
    ],
)
def test_a_secret_without_the_file_is_a_usage_error(secret: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dockerconfigjson") as caught:
        user_for("quay.io/org", write(tmp_path / "auth.json", json.dumps(secret)))
    assert "oc extract secret/pull-secret" in (caught.value.hint or "")


def test_named_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.json"):
        CredentialStore(Settings(registry_config=tmp_path / "absent.json")).find("quay.io/org")


def test_found_file_that_is_broken_is_left_out_with_a_warning(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home / ".config/containers/auth.json", "{broken")
    write(home / ".docker/config.json", {"auths": {"quay.io": auth("docker")}})

    found = CredentialStore(Settings()).find("quay.io/org")

    assert found is not None
    assert found.username == "docker"
    assert "auth.json is not valid JSON" in caplog.text


def test_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert user_for("quay.io/org", write(tmp_path / "auth.json", "")) is None


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder / f"docker-credential-{name}", f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_helper_of_the_host_is_asked_before_the_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        f"""read server; printf '{{"ServerURL":"%s","Username":"from-%s","Secret":"{SECRET}"}}' "$server" "$server\""""
    )
    helper(tmp_path / "bin", "vault", script, monkeypatch)
    document = {"credHelpers": {"quay.io": "vault"}, "auths": {"quay.io": auth("file"), "other.io": auth("other")}}
    file = write(tmp_path / "config.json", document)

    assert user_for("quay.io/org/release", file) == "from-quay.io"
    assert user_for("other.io/org/release", file) == "other"


def test_default_store_is_asked_where_no_entry_holds_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"""read server; printf '{{"Username":"%s","Secret":"{SECRET}"}}' "$server\""""
    helper(tmp_path / "bin", "store", script, monkeypatch)
    file = write(tmp_path / "config.json", {"credsStore": "store", "auths": {"quay.io": {}, "other.io": auth("file")}})

    assert user_for("quay.io/org", file) == "quay.io"
    assert user_for("docker.io/org/x", file) == "https://index.docker.io/v1/"
    assert user_for("other.io/org", file) == "file"


def test_helper_may_answer_with_an_identity_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path / "bin", "acr", """printf '{"Username":"<token>","Secret":"refresh"}'""", monkeypatch)
    file = write(tmp_path / "config.json", {"credHelpers": {"corp.azurecr.io": "acr"}})

    found = CredentialStore(Settings(registry_config=file)).find("corp.azurecr.io/ocp")

    assert found is not None
    assert (found.username, found.identity_token) == ("", "refresh")


def test_helper_that_has_nothing_leaves_the_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path / "bin", "empty", "echo 'credentials not found in native keychain'; exit 1", monkeypatch)
    document = {"credHelpers": {"quay.io": "empty"}, "auths": {"quay.io": auth("file")}}

    assert user_for("quay.io/org", write(tmp_path / "config.json", document)) == "file"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (f"echo {SECRET}; exit 3", "failed for quay.io with exit code 3"),
        (f"echo {SECRET}", "no answer that can be understood"),
        ("""printf '{"Username":1,"Secret":2}'""", "no answer that can be understood"),
    ],
)
def test_helper_that_fails_is_named_and_what_it_printed_is_not(
    script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    helper(tmp_path / "bin", "broken", script, monkeypatch)
    file = write(tmp_path / "config.json", {"credHelpers": {"quay.io": "broken"}})
    store = CredentialStore(Settings(registry_config=file))

    assert store.find("quay.io/org") is None
    assert "docker-credential-broken" in caplog.text
    assert says in caplog.text
    assert says in store.describe("quay.io/org")
    assert SECRET not in caplog.text + store.describe("quay.io/org")


@pytest.mark.parametrize(
    ("name", "says"), [("absent", "cannot be run"), ("../../bin/evil", "not a plain program name")]
)
def test_helper_that_is_no_program_is_told(name: str, says: str, tmp_path: Path) -> None:
    file = write(tmp_path / "config.json", {"credHelpers": {"quay.io": name}})
    store = CredentialStore(Settings(registry_config=file))

    assert store.find("quay.io/org") is None
    assert says in store.describe("quay.io/org")


def test_credential_is_described_by_file_entry_and_user_without_the_secret(tmp_path: Path) -> None:
    store = CredentialStore(
        Settings(registry_config=write(tmp_path / "auth.json", {"auths": {"quay.io/org": auth("alice")}}))
    )

    told = store.describe("quay.io/org/release")

    assert "auth.json, entry quay.io/org" in told
    assert "alice" in told
    assert SECRET not in told + repr(store.find("quay.io/org/release"))
    assert "auth.json" in store.describe("other.io/x")
