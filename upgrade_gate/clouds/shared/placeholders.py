"""Values of a policy file that somebody, or something, still fills in: `%{role_arn}`, `{{ account }}`, `<ACCOUNT_ID>`.

Which of them a template engine knows is not asked: what looks like one is open. Policy variables of AWS, such as
`${aws:RequestedRegion}`, are none: they name a key of the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from upgrade_gate.clouds.contract.declared import Open

_PLACEHOLDER = re.compile(
    r"""
    \$\{(?![A-Za-z0-9-]+:|[*?$]\})   # ${name}, but no ${aws:key} and no ${*}
    | [%\#]\{ | \{\{ | \{%           # %{name}, {{ name }}, {% if %}
    | \$\(  | \$[A-Za-z_]            # $(name), $NAME
    | <[%A-Za-z_]                    # <NAME>, <%= name %>
    | \[\[ | @@ | \{[A-Za-z_][A-Za-z0-9_-]*\}   # [[ name ]], @@NAME@@, {name}
    """,
    re.VERBOSE,
)


def is_placeholder(text: str) -> bool:
    """Return whether something is filled in within a text."""
    return _PLACEHOLDER.search(text) is not None


def opened(value: Any) -> Any:
    """Return a value with Open in place of every text, and every value under a key, that is still filled in."""
    match value:
        case str():
            return Open(value[:200]) if is_placeholder(value) else value
        case Mapping():
            return {
                key: Open(str(key)[:200]) if isinstance(key, str) and is_placeholder(key) else opened(one)
                for key, one in value.items()
            }
        case list():
            return [opened(one) for one in value]
        case _:
            return value
