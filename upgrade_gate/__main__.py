"""`python -m upgrade_gate`: the same as the command `upgrade-gate`.

`-m` puts the working folder first on the path, so whoever can write there could lend the gate a module. It is taken
off before anything is imported, unless the package itself lies there (docs/using/pipelines.md#the-module-form).
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[:1] != [__file__.rpartition("/upgrade_gate/")[0]]:
        del sys.path[:1]

    from upgrade_gate.cli import console

    sys.exit(console())
