from contextlib import contextmanager

import pytest

from flows import search as searches
from flows.cli import serve
from flows.cli.serve import serve_search
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError

ADDRESS = "http://127.0.0.1:4200/api"


@pytest.fixture
def served(monkeypatch):
    """Have nothing be served on a server of our own; give what would be."""
    calls = []
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    @contextmanager
    def started(*, stays):
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
    stays, line, pages, (flow, options) = served
    assert stays and line == f"serving search/nightly on {ADDRESS}; stop with Ctrl-C"
    assert pages == "its pages are at http://127.0.0.1:4200; user and password are in .nasgem/prefect/auth"
    assert (flow, options["name"], options["limit"]) == ("search", "nightly", 1)
    assert [schedule.cron for schedule in options["schedules"]] == ["0 2 * * *"]
    assert options["parameters"] == {"overrides": {"seed": 1}}
    assert options["entrypoint_type"].name == "MODULE_PATH"  # not by a path, before which the current folder would come


def test_without_a_schedule_it_runs_on_request(served):
    serve_search(None, "nasgem", None)
    assert served[-1][1]["schedules"] == [] and served[-1][1]["parameters"] == {"overrides": {}}


def test_a_wrong_schedule_is_named(served):
    with pytest.raises(ParameterError, match=r"^cron = 'every day': five fields such as '0 2 \* \* \*'"):
        serve_search("every day", "nasgem", None)
    assert served == [True]


def test_overrides_that_lead_out_of_the_folder_are_refused_at_once(served):
    with pytest.raises(ParameterError, match=r"^imagenet.dataset = '/pictures': a run on request"):
        serve_search(None, "nasgem", {"imagenet.dataset": "/pictures"})
    assert served == []


def test_a_server_of_the_users_without_a_password_is_named(served, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", ADDRESS)
    serve_search(None, "nasgem", None)
    assert served[2].startswith(f"{ADDRESS} asks for no password: whoever reaches it can start searches as you.")
    served.clear()
    monkeypatch.setattr(serve, "admits", lambda _: False)
    serve_search(None, "nasgem", None)
    assert len(served) == 3
