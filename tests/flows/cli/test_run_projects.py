from pathlib import Path

import pytest

from flows.cli import run_projects
from flows.cli.run_projects import run_add, run_init, run_update
from nasgem_core.errors import NasgemError


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    run_init(tmp_path / "shop", None)
    monkeypatch.chdir(tmp_path / "shop")
    capsys.readouterr()
    return tmp_path / "shop"


def test_what_was_made_and_how_to_go_on_is_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_projects, "make_project", lambda *_: ["a remark"])
    run_init(Path("shop"), None)
    assert capsys.readouterr().out.startswith("a remark\nshop is a project for searches on the bundled images")
    run_init(Path("shop"), Path("photos"))
    assert "with a copy of photos in images/" in capsys.readouterr().out


def test_what_was_added_and_what_changed_is_printed(project, capsys, monkeypatch):
    monkeypatch.setattr(run_projects, "add_data", lambda name, path, reference: f"{name} {path} {reference}")
    run_add("proxy", Path("photos"), True)
    assert capsys.readouterr().out == "proxy photos True\n"
    run_update()
    assert capsys.readouterr().out == "nothing has changed\n"
    monkeypatch.setattr(run_projects, "update_data", lambda: ["one", "two"])
    run_update()
    assert capsys.readouterr().out == "one\ntwo\n"


def test_wrong_parameters_are_reported_first(project):
    (project / "params.yaml").write_text("seed: many\n")
    with pytest.raises(NasgemError, match=r"params\.yaml: "):
        run_add("proxy", Path("photos"), False)
