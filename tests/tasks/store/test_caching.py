import json
from types import SimpleNamespace

import pytest
from prefect.results import ResultRecord, ResultRecordMetadata
from prefect.serializers import PickleSerializer
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, PREFECT_TASKS_REFRESH_CACHE, temporary_settings

from nasgem_core.config.search import LabelsConfig
from tasks.run.placement import Placement
from tasks.stages.labels import label_pairs
from tasks.store.caching import SourcePolicy, cached_task, is_cached
from tasks.store.fingerprint import source_fingerprint
from tasks.store.serialization import PlainSerializer


@cached_task("a task")
def double(number: int, placement: Placement) -> int:
    return 2 * number


@pytest.fixture
def storage(tmp_path):
    with temporary_settings({PREFECT_LOCAL_STORAGE_PATH: str(tmp_path)}):
        yield tmp_path


def record(value, serializer) -> bytes:
    metadata = ResultRecordMetadata(storage_key="k", serializer=serializer)
    return ResultRecord(metadata=metadata, result=value).serialize()


def key(number: int) -> str:
    return double.cache_policy.key(double.name, {"number": number, "placement": Placement()})


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
    (storage / key(1)).write_bytes(record(2, PlainSerializer()))
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
    path = storage / key(1)
    path.write_bytes(content)
    assert not is_cached(double, number=1, placement=Placement())
    context = SimpleNamespace(task=double)
    assert double.cache_policy.compute_key(context, {"number": 1, "placement": Placement()}, {}) == path.name
    assert not path.exists()
    assert (storage / f"{path.name}.refused").read_bytes() == content


def test_a_good_record_stays(storage):
    path = storage / key(1)
    path.write_bytes(record(2, PlainSerializer()))
    double.cache_policy.compute_key(SimpleNamespace(task=double), {"number": 1, "placement": Placement()}, {})
    assert path.exists()


def test_only_cached_tasks_can_be_asked():
    from prefect import task

    with pytest.raises(TypeError, match="was not made by cached_task"):
        is_cached(task(lambda config: config, name="plain"), config=LabelsConfig())
