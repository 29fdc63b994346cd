import re
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import search as searches
from flows.cli import serve
from flows.cli.serve import serve_search
from flows.runtime import stopping
from flows.runtime.stopping import answering_signals
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from tasks.run.parameters import PARAMS, complete, profile_named

ADDRESS = "http://127.0.0.1:4200/api"


@pytest.fixture
def served(monkeypatch, tmp_path):
    """Have nothing be served on a server of our own; give what would be."""
    calls = []
    monkeypatch.chdir(tmp_path)
    PARAMS.write_bytes(complete(profile_named("tiny")))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    @contextmanager
    def started(*, stays, first):
        first()
        calls.append(stays)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PREFECT_API_URL", ADDRESS)
            yield lambda: None

    monkeypatch.setattr(serve, "prefect_server", started)
    monkeypatch.setattr(serve, "admits", lambda address: address == ADDRESS)
    monkeypatch.setattr(serve, "load_config", SearchConfig)
    monkeypatch.setattr(type(searches.search), "serve", lambda flow, **options: calls.append((flow.name, options)))
    monkeypatch.setattr(serve, "say", calls.append)
    return calls


def test_the_search_is_served_one_run_at_a_time(served):
    serve_search("0 2 * * *", "nightly", {"seed": 1})
    stays, line, first, pages, (flow, options) = served
    assert re.fullmatch(r"the schedule is in UTC: the first run is at 02:00 UTC on 20\d\d-\d\d-\d\d", first)
    assert stays and line == f"serving search/nightly on {ADDRESS}; stop with Ctrl-C"
    assert pages == "its pages are at http://127.0.0.1:4200; user and password are in .nasgem/prefect/auth"
    assert (flow, options["name"], options["limit"]) == ("search", "nightly", 1)
    assert [schedule.cron for schedule in options["schedules"]] == ["0 2 * * *"]
    assert options["parameters"] == {"overrides": {"seed": 1}}
    assert options["entrypoint_type"].name == "MODULE_PATH"  # not by a path, before which the current folder would come


def test_users_of_one_machine_serve_without_a_common_folder(served, monkeypatch):
    """Prefect's runner is made with a folder below that of all temporary files."""
    from prefect.runner import Runner

    outside = Path(tempfile.gettempdir())
    monkeypatch.setattr(type(searches.search), "serve", lambda flow, **_: served.append(Runner(name="x")._tmp_dir))
    serve_search(None, "nasgem", None)
    storage = served[-1]
    assert storage.parts[-2] == "runner_storage" and storage.parents[1].parent == outside
    assert storage.parents[1].name.startswith("nasgem-serve-") and not storage.parents[1].exists()
    assert Path(tempfile.gettempdir()) == outside


def test_sigterm_ends_it_as_ctrl_c_does(served, monkeypatch):
    from prefect.runner import Runner

    monkeypatch.setattr(stopping, "PATIENCE", 1e6)
    with answering_signals("stopped"):
        serve_search(None, "nasgem", None)
        before = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, Runner.handle_sigterm)  # what Prefect does when it begins to serve
        try:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)


def test_without_a_schedule_it_runs_on_request(served):
    serve_search(None, "nasgem", None)
    assert served[-1][1]["schedules"] == [] and served[-1][1]["parameters"] == {"overrides": {}}


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        *((cron, "five fields such as '0 2 * * *'") for cron in ("every day", "", " ", "60 * * * *", "@never")),
        *((cron, "five fields such as '0 2 * * *'") for cron in ("* * * * * *", "R(0-5) * * * *", "0\x002 * * *")),
        ("0 0 30 2 *", "such a date never comes; name a day that the month has"),
    ],
)
def test_a_wrong_schedule_is_named_before_a_server_starts(served, cron, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(f'cron = {cron!r}: {message}')}"):
        serve_search(cron, "nasgem", None)
    assert served == []


@pytest.mark.parametrize("cron", ["@daily", "0 0 29 2 *", "*/15 8-18 * * mon-fri"])
def test_other_schedules_are_taken(served, cron):
    serve_search(cron, "nasgem", None)
    assert [schedule.cron for schedule in served[-1][1]["schedules"]] == [cron]


@pytest.mark.parametrize("name", ["", " ", "a/b", "50%"])
def test_a_name_that_prefect_refuses_is_named_before_a_server_starts(served, name):
    with pytest.raises(ParameterError, match=f"^name = {name!r}: letters, without any of / % & > <, are needed$"):
        serve_search(None, name, None)
    assert served == []


def test_overrides_that_lead_out_of_the_folder_are_refused_at_once(served):
    with pytest.raises(ParameterError, match=r"^imagenet.dataset = '/pictures': a run on request"):
        serve_search(None, "nasgem", {"imagenet.dataset": "/pictures"})
    assert served == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [({"sead": 1}, "unknown parameter sead: known there are"), ({"seed": -1}, "seed = -1: must lie between")],
)
def test_wrong_overrides_are_refused_at_once_and_not_in_each_run(served, overrides, message):
    with pytest.raises(ParameterError, match=f"^{message}"):
        serve_search(None, "nasgem", overrides)
    assert served == []


def test_a_server_of_the_users_without_a_password_is_named(served, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", ADDRESS)
    serve_search(None, "nasgem", None)
    assert served[2].startswith(f"{ADDRESS} asks for no password: whoever reaches it can start searches as you.")
    served.clear()
    monkeypatch.setattr(serve, "admits", lambda _: False)
    serve_search(None, "nasgem", None)
    assert len(served) == 3
