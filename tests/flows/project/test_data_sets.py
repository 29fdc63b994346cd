import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.project import data_sets
from flows.project.data_sets import add_data, update_data
from flows.project.scaffold import make_project
from flows.runtime.code_version import VERSION_FILE
from flows.stages.dvc_images import watched_images
from nasgem_core.bundled_files import TABLES
from nasgem_core.errors import DataError
from tasks.benchmark.table_import import import_table
from tasks.run.parameters import load_config
from tests.training.folders import write_images


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("projects") / "shop"
    make_project(folder, None)
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch) -> Path:
    subprocess.run(["cp", "-a", str(made), str(tmp_path / "shop")], check=True)
    monkeypatch.chdir(tmp_path / "shop")
    write_images(Path("photos"), 3, 2, ("cat", "dog"))
    return tmp_path / "shop"


def watched() -> dict[str, str]:
    return watched_images(Path("dvc.yaml").read_text())


def status(*targets: str) -> str:
    command = [sys.executable, "-m", "dvc", "status", *targets]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_images_under_dvc_are_named_everywhere_and_watched(project):
    said = add_data("proxy", project / "photos", reference=False)
    assert said.startswith("photos is under DVC, and photos.dvc says what is in it. proxy.dataset names it")
    assert said.endswith("estimator, bootstrap, finalists, gemnet, report")
    assert load_config().proxy.dataset == "photos" and watched() == {"proxy": "photos"}
    assert "changed" not in status("photos.dvc")
    Path("photos/train/cat/000.png").unlink()
    assert "changed outs" in status("photos.dvc") and "modified:           photos" in status("estimator")
    add_data("proxy", Path("photos"), reference=False)  # the new state is what counts
    assert "changed" not in status("photos.dvc")


def test_a_big_folder_elsewhere_is_referred_to(project, tmp_path):
    write_images(tmp_path / "big", 3, 2, ("cat", "dog"))
    with pytest.raises(DataError, match=r"big is outside of this project, .* add --reference, which copies nothing"):
        add_data("imagenet", Path("../big"), reference=False)
    assert watched() == {} and load_config().imagenet.dataset == ""
    said = add_data("imagenet", Path("../big"), reference=True)
    assert "data/references/imagenet.json says what is in" in said and "`nasgem data update`" in said
    assert load_config().imagenet.dataset == str(tmp_path / "shop" / ".." / "big")
    assert watched() == {"imagenet": "data/references/imagenet.json"}
    assert update_data() == []
    (tmp_path / "big" / "val" / "dog" / "000.png").unlink()
    VERSION_FILE.write_text("nasgem 0.0.1\n")
    assert update_data() == ["the files of data set imagenet have changed", "the code of nasgem has changed"]


def test_another_folder_takes_the_place_of_the_first(project, monkeypatch):
    monkeypatch.setattr(data_sets, "_dvc_add", lambda _: None)
    add_data("imagenet", Path("photos"), reference=True)
    write_images(Path("others"), 3, 2, ("cat", "dog"))
    add_data("imagenet", Path("others"), reference=False)
    assert watched() == {"imagenet": "others"} and not list(Path("data/references").iterdir())
    finalists = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]["finalists"]["deps"]
    assert finalists == ["others", "nasgem.version", "data/estimator", "data/bootstrap"]


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("proxy", "missing", "missing is not a folder"),
        ("imagenet", "photos/train/cat", "images but no class folders"),
        ("coco", "photos", r"instances_train\.json"),
        ("mine", "photos", r"data/tables/mine\.parquet is missing .*nasgem benchmark import mine FILE"),
    ],
)
@pytest.mark.parametrize("reference", [False, True])
def test_what_cannot_be_used_changes_nothing(project, name, path, message, reference):
    before = Path("params.yaml").read_bytes(), Path("dvc.yaml").read_bytes()
    with pytest.raises(DataError, match=message):
        add_data(name, Path(path), reference=reference)
    assert (Path("params.yaml").read_bytes(), Path("dvc.yaml").read_bytes()) == before
    assert not Path("data/references").exists()


def test_an_imported_table_is_put_under_dvc(project, monkeypatch):
    added = []
    monkeypatch.setattr(data_sets, "_dvc_add", added.append)
    import_table("nasgem_bench", TABLES / "nasgem_bench.parquet")
    said = add_data("nasgem_bench", Path("data/tables/nasgem_bench.parquet"), reference=False)
    assert added == [Path("data/tables/nasgem_bench.parquet")] and "data/tables" in said
    with pytest.raises(
        DataError, match=r"photos is not the table nasgem_bench: name data/tables/nasgem_bench\.parquet"
    ):
        add_data("nasgem_bench", Path("photos"), reference=False)
