import pytest

from flows import search as searches
from flows.cli.serve import serve_search
from nasgem_core.errors import NasgemError, ParameterError
from tasks.run import progress

ADDRESS = "http://127.0.0.1:4200/api"


@pytest.fixture
def served(monkeypatch):
    """Have nothing be served; give what would be."""
    calls = []
    monkeypatch.setenv("PREFECT_API_URL", ADDRESS)
    monkeypatch.setattr(type(searches.search), "serve", lambda flow, **options: calls.append((flow.name, options)))
    monkeypatch.setattr(progress, "say", calls.append)
    return calls


def test_the_search_is_served_one_run_at_a_time(served):
    serve_search("0 2 * * *", "nightly", {"seed": 1})
    line, (flow, options) = served
    assert line == f"serving search/nightly on {ADDRESS}; stop with Ctrl-C"
    assert (flow, options["name"], options["limit"]) == ("search", "nightly", 1)
    assert [schedule.cron for schedule in options["schedules"]] == ["0 2 * * *"]
    assert options["parameters"] == {"overrides": {"seed": 1}}


def test_without_a_schedule_it_runs_on_request(served):
    serve_search(None, "nasgem", None)
    assert served[1][1]["schedules"] == [] and served[1][1]["parameters"] == {"overrides": {}}


def test_a_wrong_schedule_is_named(served):
    with pytest.raises(ParameterError, match=r"^cron = 'every day': five fields such as '0 2 \* \* \*'"):
        serve_search("every day", "nasgem", None)
    assert served == []


def test_a_server_that_stays_is_needed(served, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL")
    with pytest.raises(NasgemError, match="needs a Prefect server that keeps running: start one with `prefect server"):
        serve_search(None, "nasgem", None)
