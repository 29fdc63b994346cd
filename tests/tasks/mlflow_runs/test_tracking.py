import socket
import sqlite3
import subprocess
import time
from importlib.metadata import version

import pytest

from nasgem_core.errors import NasgemError
from tasks.mlflow_runs import tracking
from tasks.mlflow_runs.outbox import Outbox
from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.tracking import Tracking, opened, provenance, tracking_uri, ui_command


def ask(uri):
    with opened(uri) as client:
        client.search_experiments(max_results=1)


def test_a_search_goes_on_without_mlflow_and_delivers_later(place, tmp_path):
    now = 1000.0
    warnings: list[str] = []
    client = place.unreliable_client()
    uri = "http://me:secret@tracker:5000"
    outbox = Outbox(tmp_path, pytest.fail)
    tracking = Tracking(uri, outbox, place.writer(client), warnings.append, clock=lambda: now)
    tracking.log(RunRecord("up", "up", "search"))

    client.down = True
    calls = client.calls
    for i in range(3):
        tracking.log(RunRecord(f"down-{i}", "down", "cell", parent="up"))
    assert client.calls == calls + 1  # one attempt, then a pause
    now += 31
    tracking.log(RunRecord("down-3", "down", "cell", parent="up"))
    assert client.calls == calls + 2
    now += 31
    tracking.log(RunRecord("down-4", "down", "cell", parent="up"))
    assert client.calls == calls + 2  # the pause grows
    assert tracking.close() == 5
    assert len(warnings) == 1
    assert "MLflow at http://***@tracker:5000 took no run (no answer): runs wait in" in warnings[0]

    later = Tracking(uri, Outbox(tmp_path, pytest.fail), place.writer(), pytest.fail)
    later.log(RunRecord("after", "after", "cell", parent="up"))
    keys = ["down-0", "down-1", "down-2", "down-3", "down-4", "after"]
    started = [place.run(key).info.start_time for key in keys]
    assert started == sorted(started)
    parent = place.run("up").info.run_id
    assert {place.run(key).data.tags["mlflow.parentRunId"] for key in keys} == {parent}
    assert later.close() == 0


def test_a_second_outage_is_reported_again(place, tmp_path):
    warnings: list[str] = []
    client = place.unreliable_client()
    tracking = Tracking("uri", Outbox(tmp_path, pytest.fail), place.writer(client), warnings.append)
    for down in (True, False, True):
        client.down = down
        tracking.log(RunRecord(f"outage-{down}", "outage", "cell", params={"n": len(warnings)}))
        tracking.close()
    assert len(warnings) == 2


def test_thousands_of_waiting_runs_hold_a_search_up_for_a_tenth_of_its_time(tmp_path):
    now, written = 0.0, []

    class Slow:
        def write(self, record, _):
            nonlocal now
            now += 0.5
            written.append(record.key)

    outbox = Outbox(tmp_path, pytest.fail)
    for i in range(300):
        outbox.put(RunRecord(f"old-{i}", "old", "cell"))
    tracking = Tracking("uri", outbox, Slow(), pytest.fail, clock=lambda: now)
    for _ in range(40):  # a search that logs every second
        tracking.log(RunRecord("new", "new", "cell"))
        now += 1
    assert written == [f"old-{i}" for i in range(len(written))] and 4 <= len(written) <= 12
    before = now
    left = tracking.close()
    assert now - before == 60 and left == 340 - len(written)
    later = Tracking("uri", outbox, Slow(), pytest.fail, clock=lambda: now)
    assert [later.close(), later.close()] == [left - 120, 0], "an answer that fails to end the wait"


def test_a_closed_port_is_one_clear_error(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        NasgemError, match=rf"MLflow at http://\*\*\*@127.0.0.1:{port} cannot be reached: .*Connection refused\."
    ) as caught:
        ask(f"http://me:secret@127.0.0.1:{port}")
    assert "Start that server, or unset MLFLOW_TRACKING_URI" in str(caught.value)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NasgemError, match=r"cannot be reached: .*timed out"),
    ):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_what_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "text.db").write_text("this is text, not a database" * 100)
    with pytest.raises(NasgemError, match=r"text\.db cannot be reached: .*not a database"):
        ask(f"sqlite:///{tmp_path}/text.db")


def test_a_store_that_tries_again_and_again_is_given_up(monkeypatch):
    monkeypatch.setattr(tracking, "_LONGEST_OPENING", 0.05)
    monkeypatch.setattr("mlflow.MlflowClient.search_experiments", lambda *_, **__: time.sleep(60))
    with pytest.raises(NasgemError, match=r"cannot be reached: no answer within 0 seconds\. Start that server"):
        ask("http://127.0.0.1:9")


def test_a_file_that_may_not_grow_is_not_called_damaged(monkeypatch, tmp_path):
    def fail(_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(tracking, "create_database", fail)
    with pytest.raises(NasgemError, match=r"disk I/O error\. .*\(ulimit -f\): raise the limit, or use another disk$"):
        ask(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.parametrize("place", ["/proc/nowhere/mlflow.db", "/dev/null/mlflow.db", "/proc/mlflow.db"])
def test_a_place_that_cannot_be_written_is_one_clear_error_at_once(monkeypatch, place):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}")
    with pytest.raises(NasgemError, match=rf"MLflow at sqlite:///{place} cannot be reached: .*MLFLOW_TRACKING_URI"):
        ask(f"sqlite:///{place}")


def test_uri_and_command(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = tracking_uri(tmp_path)
    assert uri == f"sqlite:///{tmp_path}/.nasgem/mlflow/mlflow.db"
    assert ui_command("sqlite:///a b.db") == (
        "mlflow ui --backend-store-uri 'sqlite:///a b.db' --host 127.0.0.1 --workers 1"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    assert ui_command(tracking_uri(tmp_path)) == "http://tracker:5000"


def test_provenance(tmp_path, monkeypatch):
    source = provenance(tmp_path)
    assert source.keys() == {"mlflow.source.name", "mlflow.source.type"}
    assert source["mlflow.source.name"] == f"nasgem {version('nasgem')}"
    (tmp_path / "dvc.lock").write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert provenance(tmp_path) == source | {"dvc.lock.sha256": sha256}

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init")
    assert "mlflow.source.git.commit" not in provenance(tmp_path)  # nothing is committed
    git("add", "dvc.lock")
    git("commit", "-m", "first")
    (tmp_path / "untracked").touch()
    expected = {"mlflow.source.git.commit": git("rev-parse", "HEAD"), "git.dirty": "false", "dvc.lock.sha256": sha256}
    assert provenance(tmp_path) == source | expected
    (tmp_path / "dvc.lock").write_bytes(b"abcd")
    assert provenance(tmp_path)["git.dirty"] == "true"
    monkeypatch.setenv("PATH", "")
    assert set(provenance(tmp_path)) == {*source, "dvc.lock.sha256"}
