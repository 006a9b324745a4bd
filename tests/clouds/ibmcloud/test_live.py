"""IBM Cloud live: a refusal with the way out."""

import pytest

from upgrade_gate.base.errors import UsageError
from upgrade_gate.clouds.ibmcloud import live


def test_live_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="export:PATH"):
        live.collect({})
