"""User, password and query of URLs: they never reach an output."""

import pytest

from upgrade_gate.base.text import data_without_credentials, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bob:pw@h.example/api?token=t", "https://h.example/api"),
        ("see https://bob:pw@h.example/api?token=t, then", "see https://h.example/api, then"),
        ("(https://tok@h.example#x).", "(https://h.example)."),
        ("HTTPS://bob:p/w@h@h.example/a", "HTTPS://h.example/a"),
        ("socks5://u:pw@proxy:1080", "socks5://proxy:1080"),
        ("bob:pw@127.0.0.1:9/ocp/release:4.15.0: no such file", "127.0.0.1:9/ocp/release:4.15.0: no such file"),
        ("registry:bob:pw@h.example/a", "h.example/a"),
        *(
            (same, same)
            for same in ("quay.io/a/b:4.15@sha256:ab", "docker://quay.io/a@sha256:ab", "https://h.example:6443/a")
        ),
        *(
            (same, same)
            for same in (
                "https://h.example.",
                "a@example.org",
                "system:serviceaccount:ns:name",
                "arn:aws:iam::1:role/x",
            )
        ),
    ],
)
def test_what_may_be_a_credential_is_taken_out(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_data_keep_their_shape() -> None:
    url = "https://u:p@h/x?y"
    assert data_without_credentials({"a": [url, 1, None], "b": (url,), "c": True}) == {
        "a": ["https://h/x", 1, None],
        "b": ("https://h/x",),
        "c": True,
    }
