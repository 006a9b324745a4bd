"""IBM Cloud and Power VS: the keys of a Secret."""

from __future__ import annotations

from upgrade_gate.clouds.ibmcloud import KINDS
from upgrade_gate.clouds.shared.secret import Keys


class _ByRelease(Keys, frozen=True):
    """The keys that ccoctl writes: up to 4.9 only the API key, both required from 4.10 on."""

    def secret_keys(self, *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys of a release."""
        del token
        return self.keys if release >= (4, 10) else self.keys[:1]


BY_KIND = dict.fromkeys(KINDS, _ByRelease(("ibmcloud_api_key", "ibm-credentials.env")))
