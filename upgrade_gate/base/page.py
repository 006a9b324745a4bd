"""A self-contained HTML page: templates and inline parts of a room, and the policy that lets through just those."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


@cache
def environment(package: str) -> jinja2.Environment:
    """Return the environment of a package's folder `templates`: everything escaped, nothing undefined."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def part(package: str, name: str) -> str:
    """Return a style or a script from a package's folder `templates`."""
    return (resources.files(package) / "templates" / name).read_text("utf-8").strip()


def policy_hash(text: str) -> str:
    """Return the source expression that lets exactly this inline text through the policy (CSP level 3, 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
