import pytest
from ruamel.yaml import YAML

from flows.stages.catalogue import SEARCHED
from flows.stages.dvc_file import dvc_file, project_dvc_file
from flows.stages.dvc_images import DVC_FILE, pipeline_text, unwatched_images, watched_images, with_images
from nasgem_core.config.search import ProxyConfig, SearchConfig
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.errors import DataError
from tasks.store.references import write_reference


def deps(text: str) -> dict[str, list[str]]:
    return {name: stage["deps"] for name, stage in YAML(typ="safe").load(text)["stages"].items()}


@pytest.mark.parametrize("name", ["proxy", "imagenet", "coco"])
@pytest.mark.parametrize("path", ["photos", "data/références/it's #1", '"quoted" {x: y}'])
@pytest.mark.parametrize("written", [dvc_file, project_dvc_file])
def test_the_stages_that_read_a_data_set_depend_on_its_path(name, path, written):
    before, text = deps(written()), with_images(written(), name, path)
    assert watched_images(text)[name] == path
    for stage, found in deps(text).items():
        reads = name in SEARCHED[stage].images
        assert (path in found) == reads
        others = [dep for dep in before[stage] if not (reads and name == "proxy" and dep == "data/raw")]
        assert [dep for dep in found if dep != path] == others
    again = with_images(with_images(text, name, "another"), name, path)
    assert again == text == with_images(text, name, path)


def test_the_rest_of_a_file_stays_as_it_is():
    text = """\
# mine
stages:
    pairs:
        cmd: nasgem stage pairs
        outs:
        - data/pairs
    estimator:   # mine too
        cmd: nasgem stage estimator
    bootstrap:
        params:
        - seed
        deps:
        - data/raw # images of proxy
        - own.txt
    own:
        deps:
        - own.txt

plots:
- x.csv
"""
    assert with_images(text, "coco", "photos") == text
    changed = with_images(text, "proxy", "photos").splitlines()
    expected = text.replace("data/raw # images of proxy", "photos # images of proxy").splitlines()
    assert changed == expected


def test_images_that_dvc_does_not_watch_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"x")
    config = SearchConfig(proxy=ProxyConfig(dataset="photos"), imagenet=ImagenetConfig(dataset=str(tmp_path / "other")))
    assert unwatched_images(config) == {"proxy": "photos", "imagenet": str(tmp_path / "other")}
    text = with_images(project_dvc_file(), "proxy", "photos")
    DVC_FILE.write_text(with_images(text, "imagenet", "photos"))
    assert unwatched_images(config) == {"imagenet": str(tmp_path / "other")}
    DVC_FILE.write_text(with_images(text, "imagenet", write_reference("imagenet", tmp_path / "other").as_posix()))
    assert unwatched_images(config) == {}
    assert unwatched_images(SearchConfig()) == {}


def test_a_pipeline_that_is_no_text_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pipeline_text() == ""
    DVC_FILE.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"^dvc.yaml is not a text in UTF-8: restore it, for instance with `git"):
        pipeline_text()
    DVC_FILE.unlink()
    DVC_FILE.mkdir()
    with pytest.raises(DataError, match=r"^dvc.yaml cannot be read: "):
        pipeline_text()


def test_half_a_quoted_path_is_one_that_does_not_exist():
    assert watched_images('      - "a b  # images of proxy\n') == {"proxy": '"a b'}
