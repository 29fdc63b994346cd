"""Searches next to each other."""

import numpy as np
import pytest

from nasgem_core.errors import DataError
from tasks.run.compared_search import ComparedSearch, differing_rows, named_apart, outcome_rows

NAN = float("nan")


def search(name="a", score=(NAN, 0.3, 0.2, 0.4), accuracy=(NAN, 0.5, 0.9, 0.45), **more):
    return ComparedSearch(name, more.pop("parameters", {}), np.array(accuracy), np.array(score), **more)


def test_the_best_so_far_is_by_score_and_its_accuracy_may_fall():
    found = search()
    assert found.best_score == pytest.approx([NAN, 0.3, 0.3, 0.4], nan_ok=True)
    assert found.best_accuracy == pytest.approx([NAN, 0.5, 0.5, 0.45], nan_ok=True)
    assert len(search(score=(), accuracy=()).best_accuracy) == 0


def test_rows_hold_what_is_known_of_any_search():
    figures = {
        "expected_score": 0.38,
        "expected_score_half_width": 0.02,
        "expected_margin": 0.1,
        "top1_gemnet_a": 0.515,
    }
    first = search(figures=figures, chosen="0a4d0b0a" * 4, costs={"macs": 5_152_000.0})
    rows = {words: values for words, *values in outcome_rows([first, search("b", (), ())])}
    assert rows == {
        "chosen cell": ["0a4d0b0a", "-"],
        "accuracy of that training": ["0.4500", "-"],
        "best score of one training": ["0.4000", "-"],
        "its score, trained again": ["0.3800 +- 0.0200", "-"],
        "above random search": ["+0.1000", "-"],
        "top-1 of gemnet_a (%)": ["51.5", "-"],
        "MACs (M)": ["5.152", "-"],
        "trained cells": ["4", "0"],
    }


def test_only_parameters_that_differ_are_listed():
    one = search(parameters={"seed": "0", "score.penalty": "0.1"})
    two = search("b", parameters={"seed": "0", "score.penalty": "0.2", "new": "1"})
    assert differing_rows([one, two]) == [["score.penalty", "0.1", "0.2"], ["new", "-", "1"]]
    assert differing_rows([one, one]) == []


def test_two_searches_with_names_of_their_own_are_needed():
    named_apart([search(), search("b")])
    with pytest.raises(DataError, match=r"^1 searches: name two or more"):
        named_apart([search()])
    with pytest.raises(DataError, match=r"^two of the searches are 'a': name each once"):
        named_apart([search(), search("b"), search()])
