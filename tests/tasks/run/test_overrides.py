from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from tasks.run.overrides import check_overrides, set_for_this_run, take_back
from tasks.run.parameters import PARAMS, complete, load_config

CONFIG = SearchConfig()
PATHS = ["proxy.dataset", "imagenet.dataset", "coco.dataset"]
OUTSIDE = [
    "/etc",
    "../other",
    "data/../../other",
    "~/pictures",
    "~other",
    "..",
    "file:///etc",
    "data\\..\\..\\x",
    "//x/y",
]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leads_out_is_refused(name, path):
    with pytest.raises(ParameterError, match=rf"^{name} = .*: a run on request takes only paths inside the folder"):
        check_overrides({name: path}, CONFIG)


@pytest.mark.parametrize("value", [["gemnet", "../x.json"], {"a": {"b": ["/x.json"]}}, ("/x.json",)])
def test_paths_in_lists_and_sections_are_found(value):
    for name in ("imagenet.networks", "imagenet", "unknown", "unknown.name"):
        with pytest.raises(ParameterError, match="takes only paths inside"):
            check_overrides({name: value}, CONFIG)


@given(st.text(max_size=30))
def test_whatever_is_taken_stays_in_the_folder(text):
    try:
        check_overrides({"imagenet.dataset": text}, CONFIG)
    except ParameterError:
        return
    assert not text.startswith(("/", "~")) and ".." not in text.split("/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imagenet.dataset", "data/pictures"),
        ("imagenet.dataset", "..pictures"),
        ("imagenet.networks", ["gemnet", "data/gemnet/gemnet_a.json"]),
        ("score.penalty", 0.05),
        ("score.budget", "10M"),
        ("seed", None),
    ],
)
def test_other_values_are_taken(name, value):
    check_overrides({name: value}, CONFIG)


def test_what_params_yaml_has_already_is_taken():
    from dataclasses import replace

    config = replace(CONFIG, imagenet=replace(CONFIG.imagenet, dataset="/pictures"))
    check_overrides({"imagenet.dataset": "/pictures"}, config)
    with pytest.raises(ParameterError):
        check_overrides({"coco.dataset": "/pictures"}, config)


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Work in a folder with the default parameters; give the content of the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("seed: 3\n")
    PARAMS.write_bytes(complete(tmp_path / "own.yaml"))
    return PARAMS.read_bytes()


def test_parameters_of_a_run_are_taken_back_by_the_next_one(params):
    set_for_this_run({"score.penalty": 0.05, "seed": 9})
    assert (load_config().score.penalty, load_config().seed) == (0.05, 9)
    assert take_back() == "params.yaml is as it was before a run on request, which had set score.penalty, seed"
    assert PARAMS.read_bytes() == params
    assert take_back() == ""


def test_what_was_edited_since_is_kept_and_said(params):
    set_for_this_run({"seed": 9})
    PARAMS.write_bytes(PARAMS.read_bytes().replace(b"penalty: 0.1", b"penalty: 0.2"))
    assert take_back() == "params.yaml keeps seed of a run on request, because the file was edited since"
    assert (load_config().score.penalty, load_config().seed) == (0.2, 9)
    assert take_back() == ""


def test_nothing_is_kept_of_what_changes_nothing_or_is_refused(params):
    set_for_this_run({"seed": 3})
    for wrong in ({"seed": -1}, {"proxy.dataset": "/elsewhere"}):
        with pytest.raises(ParameterError):
            set_for_this_run(wrong)
    assert take_back() == "" and PARAMS.read_bytes() == params


@pytest.mark.parametrize(
    "entry", ["[1]", '{"own": 1, "written": "", "names": []}', '{"own": "", "names": [1]}', "[" * 10**5]
)
def test_an_altered_note_takes_nothing_back(params, entry):
    Path(".nasgem").mkdir()
    Path(".nasgem/overridden.json").write_text(entry)
    assert take_back() == "" and PARAMS.read_bytes() == params
