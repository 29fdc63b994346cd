import configparser
from pathlib import Path

from flows.project import texts
from flows.stages.dvc_file import git_ignored

ROOT = Path(__file__).parents[3]


def test_git_and_dvc_are_set_up_as_in_the_repository():
    repository, project = configparser.ConfigParser(), configparser.ConfigParser()
    repository.read(ROOT / ".dvc" / "config")
    project.read_string(texts.DVC_CONFIG)
    assert project == repository
    assert (ROOT / ".dvcignore").read_text() == texts.DVC_IGNORE
    assert (ROOT / ".dvc" / ".gitignore").read_text().splitlines() == texts.DVC_IGNORED_BY_GIT.splitlines()
    assert set(texts.GIT_IGNORE.splitlines()) <= {*(ROOT / ".gitignore").read_text().splitlines(), "/data/raw/"}
    assert git_ignored(texts.GIT_IGNORE) == texts.GIT_IGNORE
    here = configparser.ConfigParser()
    here.read_string(texts.dvc_config_here("a folder/.nasgem"))
    assert here["core"]["site_cache_dir"] == "a folder/.nasgem/dvc"


def test_the_readme_is_short_and_names_the_images():
    assert "on the images in `images`" in texts.readme("shop", "images")
    bundled = texts.readme("shop", "")
    assert "on bundled images" in bundled and bundled.startswith("# shop\n") and len(bundled.splitlines()) <= 10
