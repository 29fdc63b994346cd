import pytest
from prefect.settings import PREFECT_TASKS_REFRESH_CACHE, temporary_settings

from nasgem_core.training.distributed import World
from tasks.store import checkpoints
from tasks.store.checkpoints import checkpoint_folder

MODULE = "tasks.stages.imagenet"


def folder_of(root, identity=("network", 1), rank=0, told=None):
    on_warning = told.append if told is not None else pytest.fail
    return checkpoint_folder(root / "gemnet-0", list(identity), MODULE, World(rank=rank), on_warning)


def write(folder):
    folder.mkdir()
    (folder / "last.safetensors").write_bytes(b"weights")


def test_equal_trainings_share_a_folder_and_others_have_their_own(tmp_path):
    folder = folder_of(tmp_path)
    write(folder)
    assert folder_of(tmp_path) == folder and folder.parent == tmp_path
    assert folder_of(tmp_path, ("network", 2)) != folder
    assert (folder / "last.safetensors").exists()


def test_other_code_trains_anew_says_so_and_leaves_the_old_folder(tmp_path, monkeypatch):
    old = folder_of(tmp_path)
    write(old)
    monkeypatch.setattr(checkpoints, "source_fingerprint", lambda module: "other code")
    told: list[str] = []
    new = folder_of(tmp_path, told=told)
    assert new != old and (old / "last.safetensors").exists()
    assert told == [f"the code has changed since {old} was written: training again; that folder stays"]
    write(new)
    assert folder_of(tmp_path) == new  # and says nothing any more


def test_refreshing_begins_anew_and_only_the_first_process_does(tmp_path):
    folder = folder_of(tmp_path)
    write(folder)
    with temporary_settings({PREFECT_TASKS_REFRESH_CACHE: True}):
        assert folder_of(tmp_path, rank=1) == folder and folder.exists()
        assert folder_of(tmp_path) == folder and not folder.exists()
