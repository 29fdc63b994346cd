import re
from dataclasses import asdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from tasks.run.parameters import (
    change_parameters,
    complete,
    load_config,
    load_profile,
    parse_value,
    restore_lists,
    use_profile,
)

ROOT = Path(__file__).parents[3]
PROFILES = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))


@pytest.fixture
def params(tmp_path, monkeypatch) -> Path:
    """Make a folder with the tiny profile as params.yaml."""
    (tmp_path / "params.yaml").write_bytes(complete(ROOT / "profiles" / "tiny.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params.yaml"


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_holds_only_what_differs(name):
    path = ROOT / "profiles" / f"{name}.yaml"
    defaults, values = asdict(SearchConfig()), asdict(load_profile(path))
    for section, chosen in (YAML(typ="safe").load(path) or {}).items():
        for parameter in chosen:
            assert values[section][parameter] != defaults[section][parameter], f"{section}.{parameter}"


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_written_with_every_parameter_and_its_description(name, tmp_path):
    profile, params = ROOT / "profiles" / f"{name}.yaml", tmp_path / "params.yaml"
    params.write_bytes(complete(profile))
    assert load_config(params) == load_profile(profile)
    for line in filter(None, params.read_text().splitlines()):
        assert re.fullmatch(r"# .+|( *)\w+:.* # \S.*[^.]", line) and len(line) <= 120, line


def test_there_are_the_profiles_that_are_documented():
    assert {"laptop", "paper", "tiny"} <= set(PROFILES)


def test_params_as_delivered_are_the_defaults():
    assert load_profile(ROOT / "profiles" / "laptop.yaml") == SearchConfig()
    assert (ROOT / "params.yaml").read_bytes() == complete(ROOT / "profiles" / "laptop.yaml"), "run `make params`"


def test_a_change_keeps_everything_else(params):
    before = params.read_text()
    assert change_parameters({"predictor.iterations": 60, "bootstrap.baseline": False, "encoder.hidden": [16, 8]})
    changed = params.read_text()
    assert load_config().predictor.iterations == 60
    assert load_config().encoder.hidden == (16, 8)
    assert not load_config().bootstrap.baseline
    lines = [(old, new) for old, new in zip(before.splitlines(), changed.splitlines(), strict=True) if old != new]
    assert len(lines) == 3
    comments = re.compile(r"#.*")
    assert comments.findall(before) == comments.findall(changed)


def test_counts_with_units_are_read_where_whole_numbers_stand_and_nowhere_else(params):
    text = params.read_text()
    for field, written in (("count", "2k"), ("width", "1k")):
        text = re.sub(rf"(  {field}:) \d+", rf"\1 {written}", text, count=1)
    text = re.sub(r"(gemnet:(?:.|\n)*?  macs:) \[[^]]*\]", r"\1 [20M, 1.5G, 7]", text, count=1)
    params.write_text(re.sub(r"(  dataset:) cifar10_proxy", r"\1 20M", text, count=1))
    config = load_config()
    assert (config.pairs.count, config.proxy.width) == (2000, 1000)
    assert config.gemnet.macs == (20_000_000, 1_500_000_000, 7) and config.proxy.dataset == "20M"
    params.write_text(params.read_text().replace("20M, 1.5G", "20X, 1.5G"))
    with pytest.raises(ParameterError, match=r"^params.yaml: gemnet.macs\[0\] = '20X': must be of type int$"):
        load_config()


def test_what_is_there_already_is_not_written(params):
    moment = params.stat().st_mtime_ns
    assert not change_parameters({"predictor.iterations": 50})
    assert not use_profile("tiny")
    assert params.stat().st_mtime_ns == moment


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder.dimension": 0}, r"encoder.dimension = 0: must lie between 1 and 1024"),
        ({"encoder.dimension": "many"}, r"encoder.dimension = 'many': must be of type int"),
        ({"encoder.size": 3}, r"unknown parameter encoder.size: known there are dimension"),
        ({"coder.size": 3}, r"unknown parameter coder.size: there is no section coder"),
        ({"seed.x": 3}, r"unknown parameter seed.x: there is no section seed"),
        ({"encoder": 3}, r"encoder must be a mapping"),
        ({"encoder.dimension": 4, "seed": -1}, r"seed = -1"),
    ],
)
def test_a_wrong_change_changes_nothing(params, changes, message):
    before = params.read_bytes()
    with pytest.raises(ParameterError, match=message):
        change_parameters(changes)
    assert params.read_bytes() == before


def test_a_profile_replaces_the_parameters(params):
    assert use_profile("laptop")
    assert load_config() == SearchConfig()
    assert params.read_bytes() == (ROOT / "params.yaml").read_bytes()
    with pytest.raises(ParameterError, match=r"unknown profile 'huge': known are laptop, .*paper, tiny"):
        use_profile("huge")


def test_a_profile_of_ones_own_names_the_file_of_a_mistake(params):
    (params.parent / "profiles").mkdir()
    (params.parent / "profiles" / "mine.yaml").write_text("encoder: {dimension: 4}\n")
    assert use_profile("mine") and load_config().encoder.dimension == 4
    (params.parent / "profiles" / "mine.yaml").write_text("encoder: {dimension: 0}\n")
    with pytest.raises(ParameterError, match=r"profiles/mine.yaml: encoder.dimension = 0: must lie between"):
        use_profile("mine")


def test_a_profile_of_the_folder_takes_the_place_of_a_bundled_one(params):
    (params.parent / "profiles").mkdir()
    (params.parent / "profiles" / "laptop.yaml").write_text("encoder: {dimension: 4}\n")
    assert use_profile("laptop") and load_config().encoder.dimension == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.05", 0.05),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("accuracy", "accuracy"),
        ("1.0e-3", 0.001),
        ("", ""),
    ],
)
def test_values_are_read_as_yaml(text, value):
    assert parse_value(text) == value and type(parse_value(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, text) for text in ("data #2", "#2", "a #b #c", "3 # 4", "a#b", "weiß #名")),
        *((text, "data #2") for text in ("'data #2'", '"data #2"', " data #2 ")),
    ],
)
def test_a_number_sign_begins_no_comment_on_a_command_line(params, text, value):
    assert parse_value(text) == value
    for _ in range(2):
        change_parameters({"imagenet.dataset": parse_value(text)})
        change_parameters({"seed": 3})
        assert load_config().imagenet.dataset == value
    assert use_profile("tiny") and load_config().imagenet.dataset != value


@pytest.mark.parametrize("text", ["[1, 2] # x", "[data #2]", "'a' #b"])
def test_a_list_with_a_number_sign_is_refused(text):
    with pytest.raises(ParameterError, match="is not a YAML value"):
        parse_value(text)


def test_a_link_to_parameters_stays_one(params):
    """Also one to a link, and a relative one."""
    (params.parent / "folder").mkdir()
    mine = params.parent / "folder" / "mine.yaml"
    params.rename(mine)
    (params.parent / "between.yaml").symlink_to("folder/mine.yaml")
    params.symlink_to(params.parent / "between.yaml")
    assert change_parameters({"encoder.dimension": 9})
    assert params.is_symlink() and "dimension: 9" in mine.read_text() and load_config().encoder.dimension == 9
    assert use_profile("laptop")
    assert params.is_symlink() and load_config(mine) == SearchConfig()
    assert sorted(path.name for path in mine.parent.iterdir()) == ["mine.yaml"]


@pytest.mark.parametrize("text", ["\0" * 300, "9" * 5000, "2001-99-99", "!!int x", "0x_"])
def test_what_python_does_not_hold_is_refused_with_its_file(params, text):
    params.write_text(f"seed: {text}\n")
    with pytest.raises(ParameterError, match=r"params.yaml is not valid YAML.*; correct it, or restore it$"):
        load_config()
    with pytest.raises(ParameterError, match="is not a YAML value"):
        parse_value(text)


@pytest.mark.parametrize(
    "text", ["[" * 3000 + "]" * 3000, "{a: " * 2000 + "}" * 2000, "[" * 100_000, "\n" + "- " * 100_000]
)
def test_deep_documents_are_refused(params, text):
    with pytest.raises(ParameterError, match="is not a YAML value"):
        parse_value(text)
    for content in (text, f"seed: {text}\n"):
        params.write_text(content)
        with pytest.raises(ParameterError, match=r"params.yaml is not valid YAML.*nested too deeply; correct it"):
            load_config()


def test_a_file_with_a_mark_before_it_is_read_and_another_kind_of_file_refused(params):
    params.write_bytes(b"\xef\xbb\xbf" + params.read_bytes())
    assert load_config()
    params.unlink()
    params.mkdir()
    with pytest.raises(ParameterError, match="cannot be read: Is a directory"):
        load_config()


def test_what_is_not_yaml_is_refused(params):
    with pytest.raises(ParameterError, match=r"'\[1,' is not a YAML value"):
        parse_value("[1,")
    params.write_text("seed: 0\ncells: [\n")
    with pytest.raises(ParameterError, match=r"params.yaml is not valid YAML in line \d"):
        load_config()
    params.write_bytes(b"seed: \xff")
    with pytest.raises(ParameterError, match=r"params.yaml is not valid YAML"):
        load_config()
    params.write_text("")
    with pytest.raises(ParameterError, match=r"params.yaml: the document must be a mapping"):
        load_config()
    params.write_text("seed: 0\nseed: 1\n")
    with pytest.raises(ParameterError, match=r"params.yaml is not valid YAML in line 2.*duplicate key"):
        load_config()
    params.unlink()
    with pytest.raises(ParameterError, match=r"params.yaml is missing"):
        load_config()


def test_yaml_tags_run_nothing(params):
    params.write_text("!!python/object/apply:os.mkdir [harm]\n")
    with pytest.raises(ParameterError, match=r"params.yaml"):
        load_config()
    with pytest.raises(ParameterError):
        parse_value("!!python/object/apply:os.mkdir [harm]")
    assert not Path("harm").exists()


def test_lists_that_dvc_has_written_over_several_lines_are_restored(params):
    """`dvc exp run -S` writes params.yaml by this function."""
    from dvc.utils.hydra import apply_overrides

    before = params.read_text()
    assert not restore_lists()
    apply_overrides(str(params), ["seed=0"])
    assert "\n  - conv1x1" in params.read_text()
    assert restore_lists() and params.read_text() == before
