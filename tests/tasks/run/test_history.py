"""The origin of results: noted once, and in words."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tasks.run.history import (
    FOLDER,
    StageOrigin,
    elapsed_text,
    machine_words,
    moment_text,
    note_origin,
    origin_facts,
    read_origins,
)


def origin(digest="ab", finished=1e9, seconds=60.0, **more):
    known = {"machine": "cpu (Abacus), 2 cores", "commit": "c" * 40, "changed": False}
    return StageOrigin(digest, finished, seconds, **{**known, **more})


def test_equal_results_keep_their_entry_and_others_get_a_new_one(tmp_path):
    note_origin(tmp_path, "0a4d", "pairs", origin())
    note_origin(tmp_path, "0a4d", "pairs", origin(finished=2e9))
    assert read_origins(tmp_path, "0a4d") == {"pairs": origin()}
    note_origin(tmp_path, "0a4d", "pairs", origin("cd", finished=2e9))
    note_origin(tmp_path, "0a4d", "labels", origin())
    assert read_origins(tmp_path, "0a4d") == {"pairs": origin("cd", finished=2e9), "labels": origin()}
    assert read_origins(tmp_path, "ffff") == {}


def test_the_time_of_parts_that_were_stopped_counts(tmp_path):
    for _ in range(2):
        note_origin(tmp_path, "0a4d", "coco", origin("", seconds=100.0))
    assert origin_facts(read_origins(tmp_path, "0a4d").values()) == {}
    note_origin(tmp_path, "0a4d", "coco", origin(seconds=50.0))
    note_origin(tmp_path, "0a4d", "coco", origin("", seconds=1.0))  # a replay that was stopped
    assert read_origins(tmp_path, "0a4d")["coco"] == origin(seconds=250.0)


def altered(**values):
    return json.dumps({"pairs": {**asdict(origin()), **values}})


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", '{"pairs": 1}', '{"pairs": {"when": 1}}', "[" * 100_000),
        *(altered(finished=value) for value in ("today", None, -1, 1e300, float("nan"), float("inf"))),
        *(altered(**values) for values in ({"seconds": "1"}, {"machine": 3}, {"commit": None}, {"digest": []})),
    ],
    ids=lambda content: content[:80],
)
def test_a_file_that_is_not_one_is_as_none(tmp_path, content):
    Path(tmp_path, FOLDER).mkdir(parents=True)
    Path(tmp_path, FOLDER, "0a4d.json").write_text(content)
    assert read_origins(tmp_path, "0a4d") == {}


def test_origins_in_words():
    second = origin(finished=1e9 + 5, machine="cuda (H200), 16 cores", commit="d" * 40, changed=True)
    facts = origin_facts([second, origin()])
    assert facts["date"].startswith("2001-09-") and facts["time taken"] == "2 min"
    assert facts["machine"] == "cpu (Abacus), 2 cores; cuda (H200), 16 cores"
    assert facts["commit"] == f"{'c' * 10}, {'d' * 10} with changes"
    assert "commit" not in origin_facts([origin(commit="")])


def test_a_moment_of_no_calendar_is_unknown():
    assert moment_text(1e9).startswith("2001-09-09 ")
    assert [moment_text(seconds) for seconds in (1e15, -1e15, float("nan"))] == ["unknown"] * 3


def test_durations_have_two_units():
    seconds = (0, 59.6, 61, 3600, 7325, 90061)
    assert [elapsed_text(each) for each in seconds] == ["0 s", "1 min", "1 min 1 s", "1 h", "2 h 2 min", "1 d 1 h"]


def test_the_machine_has_a_name_and_cores():
    assert machine_words("cpu").startswith("cpu") and machine_words("cpu").rstrip("s").endswith("core")
