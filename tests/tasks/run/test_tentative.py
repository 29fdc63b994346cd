"""A refused command changes nothing in params.yaml."""

from pathlib import Path

import pytest

from nasgem_core.errors import DataError, ParameterError
from tasks.run import tentative
from tasks.run.parameters import PARAMS, change_parameters, complete, load_config
from tasks.run.tentative import tentative_changes

PROFILES = Path(__file__).parents[3] / "profiles"


@pytest.fixture
def before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").symlink_to(PROFILES)
    PARAMS.write_bytes(complete(PROFILES / "tiny.yaml"))
    return PARAMS.read_bytes()


@pytest.fixture
def said(monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(tentative, "say", lines.append)
    return lines


def test_accepted_changes_stay_and_are_reported(before, said):
    with tentative_changes("laptop", {"seed": 7, "imagenet.macs": "1.5M", "gemnet.macs": ["20M", 7]}) as accept:
        assert not said
        accept()
    config = load_config()
    assert (config.seed, config.imagenet.macs, config.gemnet.macs) == (7, (1_500_000,), (20_000_000, 7))
    assert said == ["params.yaml is now the laptop profile", "params.yaml: set seed, imagenet.macs, gemnet.macs"]


def test_a_profile_that_does_not_read_the_images_of_the_user_says_how_to_keep_them(before, said):
    Path("photos").mkdir()
    kept = {"imagenet.dataset": "photos"}
    change_parameters({"proxy.dataset": "photos", **kept})
    with tentative_changes("laptop", kept) as accept:
        accept()
    assert said[0] == "params.yaml is now the laptop profile" and said[1] == "params.yaml: set imagenet.dataset"
    assert "does not read your images" in said[2] and said[2].endswith(" add --set proxy.dataset=photos")


@pytest.mark.parametrize("error", [DataError("no such folder"), KeyboardInterrupt()])
def test_a_block_that_fails_before_its_work_begins_changes_nothing(before, said, error):
    with pytest.raises(type(error)), tentative_changes("laptop", {"seed": 7}):
        assert load_config().seed == 7
        raise error
    assert PARAMS.read_bytes() == before and said == ["params.yaml is as it was before this command"]


@pytest.mark.parametrize("changes", [{"seed": "many"}, {"imagenet.macs": "20T"}, {"imagenet.epochs": -1}, {"sed": 1}])
def test_wrong_changes_change_nothing_not_even_the_profile(before, said, changes):
    with pytest.raises(ParameterError), tentative_changes("laptop", changes):
        pass
    assert PARAMS.read_bytes() == before


def test_later_errors_take_only_those_changes_back_that_they_refuse(before, said):
    for error in (DataError("a damaged image"), ParameterError("macs = 1 cannot be met")):
        with pytest.raises(type(error)), tentative_changes(None, {"seed": 7}, (ParameterError,)) as accept:
            accept()
            raise error
        assert (PARAMS.read_bytes() == before) == isinstance(error, ParameterError)
        PARAMS.write_bytes(before)


def test_without_a_change_nothing_is_said_or_written(before, said):
    with pytest.raises(DataError), tentative_changes(None, {"seed": load_config().seed}):
        raise DataError("no such folder")
    assert not said and PARAMS.read_bytes() == before
