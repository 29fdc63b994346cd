"""Two searches next to each other, on the terminal and on a page."""

from pathlib import Path

import numpy as np
import pytest

from flows.cli import compare_searches as module
from nasgem_core.errors import DataError
from tasks.run.compared_search import ComparedSearch

BAD = "<script>alert(1)</script>"


def made_up(name: str, best: float, **parameters: str) -> ComparedSearch:
    score = np.array([0.1, best])
    return ComparedSearch(name, {"seed": "0", **parameters}, score + 0.2, score, chosen=f"{name}0a4d0b0a")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("seed: 0\n")
    known = {"a": made_up("a", 0.3, penalty="0.1"), "b": made_up("b", 0.4, penalty="0.2"), BAD: made_up(BAD, 0.2)}
    monkeypatch.setattr(module, "_read", known.__getitem__)


def test_the_terminal_and_the_page_show_the_same(here, capsys):
    module.compare_searches(["a", "b"], Path("data/selection/searches.html"))
    text, page = capsys.readouterr().out, Path("data/selection/searches.html").read_text()
    for words in ("accuracy of that training", "0.6000", "b0a4d0b0", "Parameters that differ", "penalty"):
        assert words in text and words in page
    assert "b found the highest score, 0.4000, in 2 trained cells." in page and "<svg" in page


def test_scores_of_another_kind_are_not_ranked(here, capsys, monkeypatch):
    known = {"a": made_up("a", 0.3, **{"score.budget": "20M"}), "b": made_up("b", 0.4, **{"score.budget": ""})}
    monkeypatch.setattr(module, "_read", known.__getitem__)
    module.compare_searches(["a", "b"], Path("searches.html"))
    words = "The scores of these searches do not compare: score.budget differs."
    assert words in capsys.readouterr().out and words in Path("searches.html").read_text()
    assert "found the highest score" not in Path("searches.html").read_text()
    known["b"] = made_up("b", 0.4, **{"proxy.dataset": "birds", "score.budget": ""})
    assert "do not compare: proxy.dataset and 1 more differ." in module.render(list(known.values()))


def test_names_are_escaped(here):
    module.compare_searches(["a", BAD], Path("searches.html"))
    assert "<script" not in Path("searches.html").read_text()


def test_equal_parameters_are_said(here, capsys, monkeypatch):
    monkeypatch.setattr(module, "_read", lambda name: made_up(name, 0.3))
    module.compare_searches(["a", "b"], Path("searches.html"))
    assert "All parameters are equal" in capsys.readouterr().out
    assert "The searches found cells of the same score, 0.3000." in Path("searches.html").read_text()


def test_one_search_or_a_file_of_a_stage_is_refused(here):
    with pytest.raises(DataError, match="1 searches: name two or more"):
        module.compare_searches(["a"], Path("searches.html"))
    with pytest.raises(DataError, match="data/report is kept for the stages"):
        module.compare_searches(["a", "b"], Path("data/report/searches.html"))


def test_searches_without_trainings_have_a_page():
    empty = ComparedSearch("a", {}, np.array([]), np.array([]))
    assert "No search has trained a cell yet" in module.render([empty, empty])
