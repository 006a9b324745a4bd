"""Where a reader follows a pull request or a bug: the addresses of the places that OpenShift keeps them at."""

from __future__ import annotations

_TRACKER = "https://issues.redhat.com/browse/"
_BUGZILLA = "https://bugzilla.redhat.com/show_bug.cgi?id="


def pull_request(repository: str, number: int) -> str:
    """Return the address of a pull request of a repository on GitHub."""
    return f"https://github.com/{repository}/pull/{number}"


def commit(repository: str, digits: str) -> str:
    """Return the address of a commit."""
    return f"https://github.com/{repository}/commit/{digits}"


def bug(name: str) -> str:
    """Return the address of a bug: `Bug 123` is one of Bugzilla, anything else a key of the tracker."""
    kind, _, number = name.partition(" ")
    return f"{_BUGZILLA}{number}" if kind == "Bug" else f"{_TRACKER}{name}"
