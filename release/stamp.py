"""The one time that stands in what a release holds, so that its bytes do not depend on when it was made."""

import os
from datetime import UTC, datetime


def stamp() -> datetime:
    """Return SOURCE_DATE_EPOCH (reproducible-builds.org) as a time in UTC, else the day that hatchling takes."""
    return datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or 1_580_601_600), UTC)
