"""A self-contained page: the policy names exactly what stands in it."""

import base64
import hashlib

from upgrade_gate.base import page


def test_the_hash_is_what_a_browser_computes_of_the_inline_text() -> None:
    digest = base64.b64encode(hashlib.sha256(b"body {}").digest()).decode()
    assert page.policy_hash("body {}") == f"'sha256-{digest}'"


def test_templates_escape_what_they_are_given() -> None:
    environment = page.environment("upgrade_gate.report")
    assert environment.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
