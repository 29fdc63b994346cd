"""Servers of the user's own: MLflow that is lost in mid-run, and Prefect that runs the search on request."""

import base64
import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from flows.stages.catalogue import SEARCHED
from tests.flows.workspace import Workspace
from tests.pickles import pickles

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.own_server]


def ask(url: str, document: dict | None = None, secret: str = "") -> object:
    body = None if document is None else json.dumps(document).encode()
    known = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    with urlopen(Request(url, body, {"Content-Type": "application/json", **known}), timeout=10) as response:
        text = response.read().decode()
    return json.loads(text) if text[:1] in "[{" else text


def free_port() -> int:
    """Return a port of the loopback interface that nothing uses yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.3)


def end(process: Popen, how: signal.Signals = signal.SIGKILL) -> None:
    """End a process and all that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, how)
        process.wait(60)


@contextmanager
def running(workspace: Workspace, *command: str, **extra: str) -> Iterator[Popen]:
    """Run a command beside the block."""
    process = workspace.start(*command, output=workspace.root / ".nasgem" / f"{command[0]}.log", **extra)
    try:
        yield process
    finally:
        end(process)


def test_mlflow_lost_in_mid_run(searched):
    port = free_port()
    uri, log = f"http://127.0.0.1:{port}", searched.root / ".nasgem" / "log"
    store = ("--backend-store-uri", "sqlite:///server.db", "--artifacts-destination", "server-artifacts")
    server = ("mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store)
    hashes = searched.hashes()

    def runs() -> list[dict]:
        page = {"experiment_ids": ["1"], "max_results": 1000}
        return ask(f"{uri}/api/2.0/mlflow/runs/search", page)["runs"]

    with running(searched, *server) as process:
        wait_until(lambda: ask(f"{uri}/health"))
        search = searched.start("nasgem", "search", output=log, MLFLOW_TRACKING_URI=uri)
        searched.wait_for_line(log, "stage estimator")
        end(process)
        assert search.wait(300) == 0
    text = log.read_text()
    assert f"MLflow at {uri} took no run" in text and "delivered once it answers" in text
    assert "runs wait in .nasgem/outbox" in text and "Traceback" not in text
    assert searched.hashes() == hashes
    with running(searched, *server):
        wait_until(lambda: ask(f"{uri}/health"))
        delivered = len(runs())
        searched.succeed("nasgem", "stage", "pairs", MLFLOW_TRACKING_URI=uri)
        kinds = [tag["value"] for run in runs() for tag in run["data"]["tags"] if tag["key"] == "nasgem.kind"]
    assert len(kinds) > delivered
    assert kinds.count("search") == 1 and kinds.count("stage") == len(SEARCHED)
    assert kinds.count("cell") >= len(searched.records())
    assert not list((searched.root / ".nasgem" / "outbox").glob("*.run"))


def test_prefect_runs_the_search_on_request(searched):
    trained, log = searched.records(), searched.root / ".nasgem" / "nasgem.log"
    secret_file = searched.root / ".nasgem" / "prefect" / "auth"
    refused = searched.refused("nasgem", "serve", "--cron", "every day")
    assert "cron = 'every day': five fields such as '0 2 * * *'" in refused

    with running(searched, "nasgem", "serve", "--name", "nightly", "--cron", "0 2 * * *") as serving:
        wait_until(lambda: log.is_file() and "its pages are at" in log.read_text())
        api = re.search(r"on (http://127.0.0.1:\d+/api);", log.read_text())[1]

        def known(path: str, document: dict | None = None) -> Any:
            answers: list[object] = []

            def answered() -> bool:
                answers.append(ask(f"{api}/{path}", document, secret_file.read_text().strip()))
                return True

            wait_until(answered, 60)  # while its database is busy it answers 503; Prefect's own clients ask again, too
            return answers[0]

        def run_of(**parameters: object) -> dict:
            deployment = known("deployments/name/search/nightly")
            run = known(f"deployments/{deployment['id']}/create_flow_run", {"parameters": parameters})
            wait_until(lambda: known(f"flow_runs/{run['id']}")["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED"))
            return known(f"flow_runs/{run['id']}")

        known("deployments/name/search/nightly")
        for secret in ("", "nasgem:guessed"):
            with pytest.raises(HTTPError, match="401"):
                ask(f"{api}/deployments/name/search/nightly", None, secret)
        assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
        schedules = known("deployments/name/search/nightly")["schedules"]
        assert [schedule["schedule"]["cron"] for schedule in schedules] == ["0 2 * * *"]
        for overrides, reason in (({"seed": -1}, "seed = -1: must lie between"), ({"imagenet.dataset": "/x"}, "paths")):
            failed = run_of(overrides=overrides)["state"]
            assert failed["type"] == "FAILED" and reason in failed["message"]
        own = (searched.root / "params.yaml").read_text()
        run = run_of(overrides={"ablation.iterations": 21})
        assert run["state"]["type"] == "COMPLETED" and run["name"].startswith("cifar10_proxy tiny, 20")
        only = {"flow_run_id": {"any_": [run["id"]]}}
        keys = {artifact["key"]: artifact["data"] for artifact in known("artifacts/filter", {"artifacts": only})}
        lines = [line["message"] for line in known("logs/filter", {"logs": only})]
        overridden = (searched.root / "params.yaml").read_text()
        assert run_of()["state"]["type"] == "COMPLETED"
        end(serving, signal.SIGINT)
    assert "set for this run: {'ablation.iterations': 21}" in lines
    assert any(line.startswith("estimator has finished  ") and "trained cells " in line for line in lines)
    assert keys["the-chosen-cell-and-the-baselines"] and keys["report"]
    assert len(json.loads(keys["best-cells"])) > 3 and keys["best-cell"].startswith("![")
    assert "iterations: 21" in overridden and (searched.root / "params.yaml").read_text() == own
    assert searched.records() == trained
    assert "Traceback" not in log.read_text(), log.read_text()
    assert not pickles(searched.root, besides=(".nasgem/dvc", ".nasgem/numba", ".git"))
