import os
import sys

from flows.cli import app
from nasgem.__main__ import main
from nasgem.own_packages import own_root


def test_a_command_runs_with_our_packages_first(monkeypatch):
    seen = []
    monkeypatch.setattr(app, "main", lambda: seen.append((sys.path[0], os.environ["PYTHONPATH"].split(os.pathsep)[0])))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    main()
    assert seen == [(own_root(), own_root())]
