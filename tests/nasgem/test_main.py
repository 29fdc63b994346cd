import os
import sys

import pytest

import nasgem.__main__
from flows.cli import app
from nasgem.__main__ import main
from nasgem.own_packages import own_root


@pytest.mark.parametrize("shadowed", [False, True])
def test_a_command_runs_with_our_packages_first_where_others_have_their_names(monkeypatch, tmp_path, shadowed):
    seen = []
    monkeypatch.setattr(app, "main", lambda: seen.append((sys.path[0], os.environ["PYTHONPATH"].split(os.pathsep)[0])))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(os, "environ", {**os.environ, "PYTHONPATH": str(tmp_path)})
    monkeypatch.setattr(nasgem.__main__, "are_shadowed", lambda: shadowed)
    main()
    first = own_root() if shadowed else str(tmp_path)
    assert seen == [(first, first)] and os.environ["PYTHONSAFEPATH"] == "1"
