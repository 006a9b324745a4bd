"""GCP: the one key of a Secret, a key file or, in token form, the configuration of an external account."""

from upgrade_gate.clouds.gcp import KINDS
from upgrade_gate.clouds.shared.secret import Keys

BY_KIND = dict.fromkeys(KINDS, Keys(("service_account.json",)))
