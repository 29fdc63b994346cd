import pytest
import torch

from nasgem_core.training.checkpoint import Checkpoint, reached, save_checkpoint
from tasks.store.copying import ProjectStore, copy_objects, missing_in
from tasks.store.object_store import CHECKPOINTS, RECORDS, ObjectStore
from tasks.store.record_folder import RECORDS as FOLDER
from tasks.store.record_folder import RecordFolder, is_whole_record


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    for key in ("a-1", "b-2"):
        RecordFolder().write_path(key, key.encode())
    (FOLDER / "c-3").write_bytes(b"damaged")
    (FOLDER / "d-4.refused").write_bytes(b"refused")
    save_checkpoint(root / ".nasgem/checkpoints/imagenet/net-1", Checkpoint({}, 3, 1, {"w": torch.ones(1)}, {}, ()))
    return root


def copy(source, target):
    done = []
    names = missing_in(target, source)
    copied = copy_objects(source, target, names, done.append)
    assert done == list(range(1, len(names) + 1))
    return copied


def test_finished_work_goes_to_a_store_and_into_another_project(project, tmp_path):
    store, other = ObjectStore(f"file://{tmp_path}/store"), tmp_path / "other"
    copied = copy(ProjectStore(project), store)
    assert (copied.count, copied.damaged) == (4, ["records/c-3"])
    assert store.names(RECORDS) == {"records/a-1", "records/b-2"}
    assert {name.rpartition("/")[2] for name in store.names(CHECKPOINTS)} == {"last.safetensors", "step"}
    assert copy(store, ProjectStore(other)).count == 4
    assert copy(store, ProjectStore(other)).count == 0, "nothing is missing"
    assert is_whole_record("a-1", (other / FOLDER / "a-1").read_bytes())
    assert reached(other / ".nasgem/checkpoints/imagenet/net-1").step == 3


def test_the_later_checkpoint_stays(project, tmp_path):
    own, other = ProjectStore(project), ProjectStore(tmp_path / "other")
    folder = tmp_path / "other/.nasgem/checkpoints/imagenet/net-1"
    save_checkpoint(folder, Checkpoint({}, 7, 2, {"w": torch.ones(1)}, {}, ()))
    assert not [name for name in missing_in(other, own) if name.startswith(CHECKPOINTS)]
    copy(other, own)
    assert reached(project / ".nasgem/checkpoints/imagenet/net-1").step == 7


@pytest.mark.parametrize(
    "name", ["records/../x", "records/a/b", "checkpoints/x/last", "checkpoints/../../x", "records/"]
)
def test_a_name_leads_nowhere_else(project, name):
    with pytest.raises(ValueError, match="is not the name of a record or checkpoint"):
        ProjectStore(project).put(name, b"")
