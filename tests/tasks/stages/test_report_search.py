"""The chapter that says how the cell was found."""

import pytest

from nasgem_core.figures.page_parts import Table, Vector
from tasks.stages.report_search import number_or_dash, search_facts, search_parts, search_pictures
from tasks.stages.trained import BASELINE
from tests.tasks.made_up_search import KEYS, objective, write_made_up_search


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_made_up_search()


def test_every_figure_says_what_to_see(results):
    pictures = search_pictures(results, objective())
    assert list(pictures) == ["pareto", "progress", "rounds"]
    parts = search_parts(results, objective(), pictures)
    vector = next(part for part in parts if isinstance(part, Vector))
    assert all(each.caption.endswith(".") for each in [vector, *pictures.values()])
    assert vector.svg.count("<title>") == 5, "a point for each cell with an accuracy, and the star of the chosen one"
    titles = [part.title for part in parts]
    assert titles[1:4] == ["Accuracy and cost", "Search and random search", "Predictions before training"]
    assert "Finalists, trained again from other seeds" in titles and titles[-1] == "Best measured cells"


def test_the_facts_say_what_to_expect(results):
    facts = search_facts(results, objective())
    assert facts["chosen cell"] == KEYS[0][:8] and facts["cells trained"] == "3"
    assert facts["expected score"] == "0.5800 +- 0.0200 (95 %, trained again after the choice)"
    assert facts["above random search"] == "+0.1800 +- 0.0400 (expected scores)"


def test_without_random_search_nothing_is_said_of_it(results):
    results.trained.origin[results.trained.origin == BASELINE] = "random"
    pictures = search_pictures(results, objective())
    progress = pictures["progress"]
    assert progress.title == "Best score so far" and progress.caption.endswith("random search is shown too.")
    tables = [part for part in search_parts(results, objective(), pictures) if isinstance(part, Table)]
    rounds = next(table for table in tables if table.title.startswith("Rounds"))
    assert rounds.rows[0][-2:] == ["0.001000", "0.002000"]


def test_figures_of_tables_are_short():
    assert [number_or_dash(value) for value in (None, 3, 0.25)] == ["-", "3", "0.2500"]
