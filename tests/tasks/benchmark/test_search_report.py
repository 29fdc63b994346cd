import numpy as np

from tasks.benchmark.search_report import pick_tables, search_pictures


def searches() -> list[dict]:
    picked = {"random": (0.90, 0.92), "processes": (0.94, 0.94)}
    return [
        {
            "table": "mine",
            "search": name,
            "number": i,
            "picked_accuracy": value,
            "regret": np.array([0.1, 0.95 - value]),
        }
        for name, values in picked.items()
        for i, value in enumerate(values)
    ]


def test_the_best_search_comes_first():
    (table,) = pick_tables(searches())
    assert table.title == "mine: true accuracy of the pick after 2 queries, %"
    assert table.rows == [
        ["processes", "94.000 \N{PLUS-MINUS SIGN} 0.000"],
        ["random", "91.000 \N{PLUS-MINUS SIGN} 12.706"],
    ]
    assert "2 searches each; the best cell of the table has 95.000 %" in table.note


def test_regret_is_drawn_for_each_table():
    pictures = search_pictures(searches())
    assert list(pictures) == ["mine_regret"]
    assert "regret of random, processes on mine" in pictures["mine_regret"].alternative
    assert pick_tables([]) == [] and search_pictures([]) == {}
