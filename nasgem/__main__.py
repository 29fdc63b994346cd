"""The `nasgem` command, also as `python -m nasgem`."""

import os
import sys

from nasgem.own_packages import are_shadowed, environment_with_own_packages, own_root


def main() -> None:
    """Run a command with our packages, whatever is called `tasks` or `flows` in the user's folder or PYTHONPATH.

    Worker processes get `sys.path` of this one, and the other processes that it starts its environment.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    if are_shadowed():  # otherwise the order stays, in which a user may have put other packages first
        sys.path.insert(0, own_root())
        os.environ |= environment_with_own_packages()
    from flows.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
