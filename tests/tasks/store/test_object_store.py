import pytest

from nasgem_core.errors import NasgemError, ParameterError
from tasks.store import object_store as module
from tasks.store.object_store import RECORDS, STORE, ObjectStore, known_names, object_store, require_store


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    return ObjectStore(f"file://{tmp_path}/store" if request.param == "file" else f"memory://{tmp_path}")


def test_what_is_put_is_found_by_its_name(store):
    assert store.names(RECORDS) == set() and store.get("records/a") is None
    store.put("records/a", b"1")
    store.put("records/a", b"2")
    store.put("checkpoints/x/y/last", b"3")
    assert (store.get("records/a"), store.get("checkpoints/x/y/last")) == (b"2", b"3")
    assert store.names(RECORDS) == {"records/a"} and store.names("checkpoints") == {"checkpoints/x/y/last"}


def test_a_store_of_a_process_is_asked_once_what_it_has(tmp_path, monkeypatch):
    monkeypatch.delenv(STORE, raising=False)
    assert object_store() is None
    require_store()
    monkeypatch.setenv(STORE, f"file://{tmp_path}")
    require_store()
    object_store().put("records/a", b"1")
    assert known_names(RECORDS) == set()
    require_store()
    assert known_names(RECORDS) == {"records/a"}


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "bucket/nasgem",
            r"^store = 'bucket/nasgem': must be an address such as s3://bucket/nasgem or file:///folder$",
        ),
        ("gs://bucket", r"^store = 'gs://bucket': .*: run `pip install gcsfs`$"),
        ("abacus://b", r"^store = 'abacus://b': .*: use s3://, gs://, abfs:// or file://$"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(address, message):
    with pytest.raises(ParameterError, match=message):
        ObjectStore(address)


def test_a_store_that_fails_for_a_moment_is_asked_again(store, monkeypatch):
    pauses, failures = [], iter([OSError("busy"), OSError("busy")])
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    read = store._files.cat_file

    def failing(path):
        for error in failures:
            raise error
        return read(path)

    store.put("records/a", b"1")
    monkeypatch.setattr(store._files, "cat_file", failing, raising=False)
    assert store.get("records/a") == b"1" and pauses == [1.0, 4.0]


@pytest.mark.parametrize(("error", "attempts"), [(OSError("no route"), 3), (PermissionError("denied"), 1)])
def test_a_store_that_fails_for_long_ends_in_one_line(store, monkeypatch, error, attempts):
    asked = []

    def failing(path):
        asked.append(path)
        raise error

    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(store._files, "cat_file", failing, raising=False)
    with pytest.raises(NasgemError, match=rf"^the store at .* cannot be used \({type(error).__name__}: "):
        store.get("records/a")
    assert len(asked) == attempts


def test_a_bucket_that_is_missing_is_named(tmp_path, monkeypatch):
    store = ObjectStore(f"memory://{tmp_path}")

    def failing(path, content):
        raise FileNotFoundError("The specified bucket does not exist")

    monkeypatch.setattr(store._files, "pipe_file", failing, raising=False)
    with pytest.raises(
        NasgemError, match=r"cannot be used \(FileNotFoundError: The specified bucket does not exist\)$"
    ):
        store.put("records/a", b"")
