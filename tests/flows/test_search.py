"""The order of a search, what is checked before it, and how its outputs are recorded; the stages are made up."""

import subprocess
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flows import search as module
from flows.stages.catalogue import SEARCHED
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, NasgemError


@pytest.fixture
def done(tmp_path, monkeypatch, logged):
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
        records = SimpleNamespace(figures={"first": {"pairs": 400}})
        engine = SimpleNamespace(run=lambda flow: happened.append(f"run {flow}"))
        yield SimpleNamespace(engine=engine, records=records, config="config")

    monkeypatch.setattr(module, "SEARCHED", {"first": stage("first"), "second": stage("second", "check_images")})
    monkeypatch.setattr(module, "_FLOWS", {"first": "flow 1", "second": "flow 2"})
    monkeypatch.setattr(module, "open_session", session)
    monkeypatch.setattr(module, "record_outputs", lambda: happened.append("recorded"))
    monkeypatch.setattr(module, "say", happened.append)
    monkeypatch.setattr(module, "load_config", SearchConfig)
    monkeypatch.setattr(module, "create_artifacts", lambda config: logged.append(f"artifacts of {config}"))
    monkeypatch.setattr(module, "log", logged.append)
    return happened


@pytest.fixture
def logged() -> list[str]:
    """Return what the page of the run shows."""
    return []


def test_checks_come_first_then_the_stages_in_order_then_dvc(done):
    module.search.fn()
    assert done == ["second: check_images", "stage first", "run flow 1", "stage second", "run flow 2", "recorded"]


def test_the_page_of_the_run_has_a_line_for_each_stage_with_its_figures_and_the_results(done, logged, monkeypatch):
    figures = {"first": {"top1 of gemnet": 0.5}, "second": {}}
    monkeypatch.setattr(module, "read_headlines", figures.get)
    module.search.fn()
    second = "second has finished  without figures: its own page says why"
    assert logged == ["first has finished  top1 of gemnet 0.5  pairs 400", second, "artifacts of config"]


def test_a_served_run_says_where_it_begins_and_ends(done, monkeypatch):
    monkeypatch.setattr(module, "_served_run", lambda: "images tiny, today")
    module.search.fn()
    assert (done[0], done[-1]) == ("run images tiny, today", "run images tiny, today has finished")


@pytest.mark.parametrize(
    ("error", "reason"), [(DataError("no images"), "no images"), (OSError("x"), "its page on Prefect says why")]
)
def test_a_served_run_that_fails_says_why(done, monkeypatch, error, reason):
    def fail(session: object) -> None:
        raise error

    monkeypatch.setattr(module, "_served_run", lambda: "images tiny, today")
    monkeypatch.setattr(module.SEARCHED["second"], "check_inputs", fail)
    with pytest.raises(type(error)):
        module.search.fn()
    assert done == ["run images tiny, today", f"run images tiny, today has failed: {reason}"]


def test_a_run_is_called_by_its_images_its_profile_and_the_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "dated", lambda title: f"{title}, today")
    assert module.search.flow_run_name() == "search, today", "without parameters, which the flow reports"
    monkeypatch.setattr(module, "load_config", SearchConfig)
    assert module.search.flow_run_name() == "cifar10_proxy, today"


def test_what_a_run_on_request_has_set_is_taken_back_first(done, monkeypatch):
    monkeypatch.setattr(module, "take_back", lambda: "params.yaml is as it was")
    module.search.fn()
    assert done[0] == "params.yaml is as it was"


def test_what_a_check_reports_stops_the_search_before_it_begins(done, monkeypatch):
    def fail(session: object) -> None:
        raise DataError("no images")

    monkeypatch.setattr(module.SEARCHED["second"], "check_inputs", fail)
    with pytest.raises(DataError, match="no images"):
        module.search.fn()
    assert done == []


def test_overrides_are_written_before_anything_runs(done, logged, monkeypatch):
    monkeypatch.setattr(module, "set_for_this_run", lambda overrides: done.append(f"set {overrides}"))
    module.search.fn({"seed": 1})
    assert done[0] == "set {'seed': 1}" and logged[0] == "set for this run: {'seed': 1}"


def test_outputs_of_changed_parameters_are_not_recorded(done, monkeypatch, tmp_path):
    fake = SimpleNamespace(run=lambda flow: (tmp_path / "params.yaml").write_text("seed: 1\n"))

    @contextmanager
    def session():
        yield SimpleNamespace(engine=fake, records=SimpleNamespace(figures={}), config="config")

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

    monkeypatch.setattr(subprocess, "run", run)
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
