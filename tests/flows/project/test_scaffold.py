import os
import stat
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.project import scaffold
from flows.project.scaffold import IMAGES, make_project
from flows.runtime.code_version import version_text
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, NasgemError
from tasks.run.parameters import load_config
from tests.training.folders import write_images


@pytest.fixture
def photos(tmp_path) -> Path:
    write_images(tmp_path / "photos", 3, 2, ("cat", "dog"))
    (tmp_path / "photos" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "photos"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".git/" not in f"{path}/")


def test_a_project_has_what_the_commands_and_dvc_need(tmp_path):
    make_project(tmp_path / "deep" / "shop", None)
    folder = tmp_path / "deep" / "shop"
    assert load_config(folder / "params.yaml") == SearchConfig()
    assert (folder / "nasgem.version").read_text() == version_text()
    stages = YAML(typ="safe").load(folder / "dvc.yaml")["stages"]
    assert stages["estimator"]["deps"] == ["nasgem.version", "data/encoder"]
    assert all((folder / dep).exists() for stage in stages.values() for dep in stage["deps"] if "data/" not in dep)
    assert (folder / "data" / "tables").is_dir() and "nasgem search" in (folder / "README.md").read_text()
    for private in (".nasgem", ".nasgem/dvc", ".nasgem/dvc/repo"):
        assert stat.S_IMODE((folder / private).stat().st_mode) == 0o700
    listed = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True, check=True)
    assert ".nasgem/" not in listed.stdout and "params.yaml" in listed.stdout
    assert str(folder) in (folder / ".dvc" / "config.local").read_text()


@pytest.mark.slow
def test_own_images_are_copied_and_under_dvc(tmp_path, photos):
    folder = tmp_path / "shop"
    folder.mkdir()
    before = files(photos)
    make_project(folder, photos)
    config = load_config(folder / "params.yaml")
    assert config.proxy.dataset == config.imagenet.dataset == IMAGES and config.score.budget == "20M"
    assert files(photos) == before and files(folder / IMAGES) == [name for name in before if name != ".DS_Store"]
    (out,) = YAML(typ="safe").load(folder / "images.dvc")["outs"]
    assert out["path"] == IMAGES and out["nfiles"] == 10
    stages = YAML(typ="safe").load(folder / "dvc.yaml")["stages"]
    assert {name for name, stage in stages.items() if IMAGES in stage["deps"]} == {
        *("estimator", "bootstrap", "finalists", "gemnet", "imagenet", "report")
    }
    assert list((folder / ".nasgem" / "dvc" / "repo").iterdir()) == []


def test_a_folder_of_classes_is_split_in_the_project_alone(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(scaffold, "run_dvc", lambda *_, folder, **__: (folder / ".nasgem/dvc/repo").mkdir())
    before = files(tmp_path)
    (remark,) = make_project(tmp_path / "shop", photos / "train")
    assert remark.startswith("images has no train/ and val/: 4 images are for training and 2, a fifth of each class")
    record = tmp_path / "shop" / "images.split.json"
    assert record.is_file() and [name for name in files(tmp_path) if not name.startswith("shop")] == before
    (photos / "train.split.json").write_bytes(record.read_bytes().replace(b"000.png", b"009.png"))
    make_project(tmp_path / "again", photos / "train")  # a split that was recorded before is kept
    assert b"009.png" in (tmp_path / "again" / "images.split.json").read_bytes()


def test_a_folder_with_something_in_it_is_refused_and_stays(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"full is not empty \(it has mine\.txt\): name a new folder"):
        make_project(tmp_path / "full", None)
    make_project(tmp_path / "shop", None)
    before = {path: (folder := tmp_path / "shop", path) for path in files(tmp_path / "shop")}
    with pytest.raises(DataError, match=r"shop is a project already: run nasgem in it"):
        make_project(folder, None)
    with pytest.raises(DataError, match=r"mine\.txt is a file: name a new folder"):
        make_project(tmp_path / "full" / "mine.txt", None)
    assert files(tmp_path / "full") == ["mine.txt"] and files(folder) == list(before)


def test_images_that_cannot_be_used_are_refused_before_anything_is_made(tmp_path, photos):
    for images, message in (
        (tmp_path / "missing", "missing is not a folder"),
        (photos / "train" / "cat", "photos/train/cat has 3 images but no class folders"),
    ):
        with pytest.raises(DataError, match=message):
            make_project(tmp_path / "shop", images)
    with pytest.raises(DataError, match=r"shop is inside of .*photos: name a folder elsewhere"):
        make_project(photos / "shop", photos)
    assert (
        files(tmp_path) == ["photos", *(f"photos/{name}" for name in files(photos))] and not (photos / "shop").exists()
    )


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, NasgemError("DVC could not add"), OSError(28, "No space left")])
def test_what_is_stopped_half_way_leaves_nothing(tmp_path, photos, monkeypatch, there, fault):
    def stopped(*_, **__):
        raise fault

    monkeypatch.setattr(scaffold, "run_dvc", stopped)
    folder = tmp_path / "new" / "shop"
    if there:
        folder.mkdir(parents=True)
    with pytest.raises((KeyboardInterrupt, NasgemError)):
        make_project(folder, photos)
    assert not list(folder.iterdir()) if there else not (tmp_path / "new").exists()


def test_a_fault_while_the_files_are_moved_leaves_nothing(tmp_path, monkeypatch):
    rename = Path.rename

    def failing(path, target):
        if path.name == "dvc.yaml":
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DataError, match="cannot be made a project: Input/output error; nothing was kept"):
        make_project(tmp_path / "shop", None)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_command_can_be_repeated(tmp_path):
    (tmp_path / "shop" / ".nasgem-init-abc" / "images").mkdir(parents=True)
    make_project(tmp_path / "shop", None)
    assert not [name for name in files(tmp_path / "shop") if "nasgem-init" in name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="cannot be made a project: Permission denied"):
        make_project(tmp_path / "shop", None)


def test_without_git_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NasgemError, match="git is not installed, and DVC needs it"):
        make_project(tmp_path / "shop", None)
    assert list(tmp_path.iterdir()) == []
