"""Alibaba Cloud: the one key of a Secret, an INI file with the access key."""

from upgrade_gate.clouds.alibabacloud import KINDS
from upgrade_gate.clouds.shared.secret import Keys

BY_KIND = dict.fromkeys(KINDS, Keys(("credentials",)))
