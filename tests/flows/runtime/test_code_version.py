import re

from flows.runtime import code_version
from flows.runtime.code_version import VERSION_FILE, code_files, refresh_version_file, version_text


def test_the_version_follows_the_code(monkeypatch, tmp_path):
    first = version_text()
    assert re.fullmatch(r"nasgem \d+\.\d+\.\d+, code [0-9a-f]{16}\n", first) and version_text() == first
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "a.py").write_text("1")
    monkeypatch.setattr(code_version, "_CODE", tmp_path)
    second = version_text()
    (tmp_path / "tasks" / "a.py").write_text("2")
    assert len({first, second, version_text()}) == 3


def test_every_package_counts():
    assert {path.parent.name for path in code_files()} >= {"nasgem", "cells", "stages", "cli"}


def test_the_file_of_a_project_is_refreshed_and_no_other_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not refresh_version_file() and not list(tmp_path.iterdir())
    VERSION_FILE.write_text("nasgem 0.0.1\n")
    assert refresh_version_file() and VERSION_FILE.read_text() == version_text()
    moment = VERSION_FILE.stat().st_mtime_ns
    assert not refresh_version_file() and VERSION_FILE.stat().st_mtime_ns == moment
