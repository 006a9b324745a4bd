"""`python -m upgrade_gate`: the same as the command `upgrade-gate`."""

import sys

from upgrade_gate.cli import console

if __name__ == "__main__":
    sys.exit(console())
