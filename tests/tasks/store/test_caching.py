import asyncio
import errno
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.results import ResultRecord, ResultRecordMetadata, ResultStore
from prefect.serializers import PickleSerializer
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_RESULTS_PERSIST_BY_DEFAULT,
    PREFECT_TASKS_REFRESH_CACHE,
    temporary_settings,
)
from prefect.states import exception_to_failed_state
from prefect.transactions import transaction

from nasgem_core import files
from nasgem_core.config.search import LabelsConfig
from nasgem_core.errors import NasgemError
from tasks.run.placement import Placement
from tasks.stages.labels import label_pairs
from tasks.store.caching import SourcePolicy, cached_task, is_cached, plain_flow, unkept_task
from tasks.store.fingerprint import source_fingerprint
from tasks.store.object_store import STORE, require_store
from tasks.store.record_folder import RECORDS, RecordFolder
from tasks.store.serialization import PlainSerializer
from tasks.store.unkept_record import UnkeptRecordError
from tests.pickles import pickles


@cached_task("a task")
def double(number: int, placement: Placement) -> int:
    return 2 * number


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """Give the folder of records; a user's own place for results of Prefect counts for nothing."""
    monkeypatch.chdir(tmp_path)
    RECORDS.mkdir(parents=True)
    nowhere = {PREFECT_API_URL: "http://127.0.0.1:1/api", PREFECT_LOCAL_STORAGE_PATH: str(tmp_path / "elsewhere")}
    with temporary_settings(nowhere):
        yield RECORDS
    assert not (tmp_path / "elsewhere").exists()


def put(number: int, content: bytes) -> Path:
    return Path(RecordFolder().write_path(key(number), content))


def record(value, serializer) -> bytes:
    metadata = ResultRecordMetadata(storage_key="k", serializer=serializer)
    return ResultRecord(metadata=metadata, result=value).serialize()


def key(number: int) -> str:
    return double.cache_policy.key(double.name, {"number": number, "placement": Placement()})


def test_a_task_whose_results_are_kept_otherwise_has_no_record(storage):
    made = unkept_task("another task")(lambda number: 2 * number)
    assert made.cache_policy.source == source_fingerprint(__name__)
    assert not is_cached(made, number=1) and made.fn(1) == 2
    assert made.cache_policy.compute_key(SimpleNamespace(task=made), {"number": 1}, {}) is None
    assert made.persist_result is False


def test_key_follows_inputs_and_source_but_not_placement():
    policy = SourcePolicy(source="one")
    names = {
        policy.key("a task", {"x": 1}),
        policy.key("a task", {"x": 2}),
        policy.key("b task", {"x": 1}),
        SourcePolicy(source="two").key("a task", {"x": 1}),
    }
    assert len(names) == 4
    assert policy.key("a task", {"x": 1, "p": Placement("cuda")}) == policy.key("a task", {"x": 1, "p": Placement()})
    assert policy.key("a task", {"x": 1}).startswith("a-task-")


def test_a_task_stands_on_the_source_of_its_module():
    assert label_pairs.cache_policy.source == source_fingerprint("tasks.stages.labels")
    assert label_pairs.persist_result and label_pairs.result_serializer == PlainSerializer()


def test_is_cached_only_with_a_whole_record_of_ours(storage):
    assert not is_cached(double, number=1, placement=Placement())
    put(1, record(2, PlainSerializer()))
    assert is_cached(double, number=1, placement=Placement(device="cuda"))
    assert not is_cached(double, number=3, placement=Placement())
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True}):
        assert not is_cached(double, number=1, placement=Placement())


def altered(content: bytes) -> bytes:
    document = json.loads(content)
    document["result"] = document["result"][:-8] + "AAAAAAA="
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no record",
        b"[1]",
        b'{"metadata": {"serializer": {"type": "nasgem-plain"}}}',
        b'{"metadata": {"serializer": {"type": "nasgem-plain"}}, "result": null}',
        record(2, PlainSerializer())[:-9],
        altered(record({"a": "b" * 50}, PlainSerializer())),
        record(2, PickleSerializer()),
    ],
)
def test_a_torn_or_foreign_record_is_put_aside_before_prefect_reads_it(storage, content):
    path = put(1, content)
    content = path.read_bytes()
    assert not is_cached(double, number=1, placement=Placement())
    context = SimpleNamespace(task=double)
    assert double.cache_policy.compute_key(context, {"number": 1, "placement": Placement()}, {}) == path.name
    assert not path.exists()
    assert (storage / f"{path.name}.refused").read_bytes() == content


def test_a_record_of_a_store_is_used_and_a_foreign_one_put_aside(storage, tmp_path, monkeypatch):
    good, foreign = put(1, record(2, PlainSerializer())), put(2, record(2, PickleSerializer()))
    (tmp_path / "store").mkdir()
    for path in (good, foreign):
        path.rename(tmp_path / "store" / path.name)
    (tmp_path / "store").rename(tmp_path / "records")
    monkeypatch.setenv(STORE, f"file://{tmp_path}")
    require_store()
    assert is_cached(double, number=1, placement=Placement()) and good.exists()
    for _ in range(2):
        assert not is_cached(double, number=2, placement=Placement())
        double.cache_policy.compute_key(SimpleNamespace(task=double), {"number": 2, "placement": Placement()}, {})
        assert not foreign.exists(), "Prefect would unpickle it"


def test_a_good_record_stays(storage):
    path = put(1, record(2, PlainSerializer()))
    double.cache_policy.compute_key(SimpleNamespace(task=double), {"number": 1, "placement": Placement()}, {})
    assert path.exists()


def test_a_record_of_another_key_is_refused(storage):
    put(1, record(2, PlainSerializer())).rename(storage / key(2))
    assert not is_cached(double, number=2, placement=Placement())
    double.cache_policy.compute_key(SimpleNamespace(task=double), {"number": 2, "placement": Placement()}, {})
    assert [path.name for path in storage.iterdir()] == [f"{key(2)}.refused"]


def test_prefect_keeps_records_of_a_task_whole_and_nothing_of_what_is_raised(storage):
    """As its engine does: in the stores of a flow and of a task in it, with and without a failure."""
    for raised in (ValueError("reason"), NasgemError("reason")):
        for store in stores():
            state = asyncio.run(exception_to_failed_state(raised, result_store=store, write_result=True))
            assert state.is_failed() and not list(storage.iterdir())
    _, store = stores()
    store.write({"a": 1.5}, key=key(1))
    (file,) = storage.iterdir()
    assert file.name == key(1) and is_cached(double, number=1, placement=Placement())
    assert store.read(key(1)).result == {"a": 1.5}
    assert not pickles(storage)


def test_a_record_that_cannot_be_written_ends_the_task(storage, monkeypatch):
    """Prefect logs whatever `Exception` a write raises, and the search would go on without records."""
    _, store = stores()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(UnkeptRecordError) as raised, transaction(key=key(1), store=store) as task_run:
        task_run.stage(2)
    assert raised.value.number == errno.ENOSPC and not list(storage.iterdir())


def stores():
    flow_store = ResultStore().update_for_flow(plain_flow("a flow")(lambda: None), _sync=True)
    return flow_store, flow_store.update_for_task(double, _sync=True)


def test_a_flow_keeps_no_result_whatever_the_users_settings():
    with temporary_settings({PREFECT_RESULTS_PERSIST_BY_DEFAULT: True}):
        made = plain_flow("a flow")(lambda: None)
    assert made.persist_result is False and made.result_serializer == PlainSerializer()


def test_only_cached_tasks_can_be_asked():
    from prefect import task

    with pytest.raises(TypeError, match="was not made by cached_task"):
        is_cached(task(lambda config: config, name="plain"), config=LabelsConfig())
