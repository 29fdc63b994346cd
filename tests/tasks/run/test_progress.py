import pytest

from tasks.run import progress
from tasks.run.progress import Bar


@pytest.fixture
def lines(monkeypatch):
    """Return what is said; the test sets the clock."""
    said: list[str] = []
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.setattr(progress.time, "monotonic", lambda: lines.now)
    return said


def update(now: float, bar: Bar, done: int, **figures: float) -> None:
    lines.now = now
    bar.update(done, figures)


def started(total: int) -> Bar:
    lines.now = 0.0
    return Bar("training", total, None)


def test_a_line_every_few_seconds_says_what_is_left(lines):
    bar = started(100)
    for second in range(1, 32):
        update(second, bar, second, loss=0.5)
    assert lines == [
        "training: 15 of 100, about 85 s left  loss 0.5",
        "training: 30 of 100, about 70 s left  loss 0.5",
    ]


def test_work_that_goes_on_counts_only_what_is_done_now(lines):
    bar = started(100)
    update(1, bar, 80)
    update(21, bar, 90)
    assert lines == ["training: 90 of 100, about 20 s left"]


def test_the_pace_is_that_of_the_last_lines(lines):
    """Half of the units come from a cache at once, the others take ten seconds each."""
    bar = started(100)
    update(1, bar, 1)
    update(2, bar, 50)
    for done in range(51, 65):
        update(2 + 20 * (done - 50), bar, done)
    assert lines[-1] == "training: 64 of 100, about 720 s left"


def test_without_a_pace_the_time_left_is_not_estimated(lines):
    bar = started(100)
    update(20, bar, 5)
    assert lines == ["training: 5 of 100"]
