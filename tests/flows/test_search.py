"""The order of a search, what is checked before it, and how its outputs are recorded; the stages are made up."""

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flows import search as module
from flows.stages.catalogue import SEARCHED
from nasgem_core.errors import DataError, NasgemError


@pytest.fixture
def done(tmp_path, monkeypatch):
    """Have a search run two made-up stages in an empty folder; give what happens, in order."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    for name in (".git", ".dvc"):
        (tmp_path / name).mkdir()
    happened: list[str] = []

    def stage(name: str, check: str | None = None) -> SimpleNamespace:
        return SimpleNamespace(name=name, check_inputs=lambda session: check and happened.append(f"{name}: {check}"))

    @contextmanager
    def session():
        yield SimpleNamespace(runner=SimpleNamespace(run=lambda flow: happened.append(f"run {flow}")))

    monkeypatch.setattr(module, "SEARCHED", {"first": stage("first"), "second": stage("second", "check_images")})
    monkeypatch.setattr(module, "_FLOWS", {"first": "flow 1", "second": "flow 2"})
    monkeypatch.setattr(module, "open_session", session)
    monkeypatch.setattr(module, "record_outputs", lambda: happened.append("recorded"))
    monkeypatch.setattr(module, "say", happened.append)
    return happened


def test_checks_come_first_then_the_stages_in_order_then_dvc(done):
    module.search.fn()
    assert done == ["second: check_images", "stage first", "run flow 1", "stage second", "run flow 2", "recorded"]


def test_what_a_check_reports_stops_the_search_before_it_begins(done, monkeypatch):
    def fail(session: object) -> None:
        raise DataError("no images")

    monkeypatch.setattr(module.SEARCHED["second"], "check_inputs", fail)
    with pytest.raises(DataError, match="no images"):
        module.search.fn()
    assert done == []


def test_overrides_are_written_before_anything_runs(done, monkeypatch):
    monkeypatch.setattr(module, "load_config", lambda: "config")
    monkeypatch.setattr(module, "check_overrides", lambda *given: done.append(f"check {given}"))
    monkeypatch.setattr(module, "change_parameters", lambda changes: done.append(f"set {changes}"))
    module.search.fn({"seed": 1})
    assert done[:2] == ["check ({'seed': 1}, 'config')", "set {'seed': 1}"]


def test_outputs_of_changed_parameters_are_not_recorded(done, monkeypatch, tmp_path):
    fake = SimpleNamespace(run=lambda flow: (tmp_path / "params.yaml").write_text("seed: 1\n"))

    @contextmanager
    def session():
        yield SimpleNamespace(runner=fake)

    monkeypatch.setattr(module, "open_session", session)
    with pytest.raises(NasgemError, match="was changed while the search was running, so its outputs are not recorded"):
        module.search.fn()
    assert "recorded" not in done


def test_the_flows_are_those_of_the_catalogue():
    assert list(module._FLOWS) == list(SEARCHED)
    assert all(flow.name == name for name, flow in module._FLOWS.items())


def test_dvc_records_every_stage_and_its_complaint_is_passed_on(monkeypatch):
    commands = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) - 1, "", "ERROR: locked\n")

    monkeypatch.setattr(module.subprocess, "run", run)
    module.record_outputs()
    assert commands[0][-len(SEARCHED) :] == list(SEARCHED)
    with pytest.raises(NasgemError, match=r"^DVC could not record the outputs: ERROR: locked\. The results in data/"):
        module.record_outputs()


def test_a_copy_without_git_is_searched_and_says_at_once_what_is_missing(done, tmp_path):
    (tmp_path / ".git").rmdir()
    module.search.fn()
    assert done[0] == (
        "this folder has no .git (`git init` makes one), so DVC does not record the outputs; everything else works"
    )
    assert done[-1] == "run flow 2"


@pytest.mark.parametrize(
    ("folders", "config", "lacks"),
    [
        ((".git", ".dvc"), "", None),
        ((), "", ".dvc"),
        ((".git",), "", ".dvc"),
        ((".dvc",), "[core]\n    analytics = false\n", ".git"),
        ((".dvc",), "[core]\n    no_scm = True\n", None),
    ],
)
@pytest.mark.parametrize("below", [".", "a/b"])
def test_what_dvc_needs_is_looked_for_above_too(tmp_path, folders, config, lacks, below):
    for name in folders:
        (tmp_path / name).mkdir()
    if config:
        (tmp_path / ".dvc" / "config").write_text(config)
    missing = module.missing_for_dvc(tmp_path / below)
    assert missing is None if lacks is None else lacks in (missing or "")


def test_dvc_that_says_nothing_is_not_quoted(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1, stdout="", stderr="\n"))
    with pytest.raises(NasgemError, match=r"^DVC could not record the outputs: it does not say why\. The results"):
        module.record_outputs()
