import io
import re
import threading
from types import SimpleNamespace

import pytest

from tasks.run import progress
from tasks.run.progress import Bar, Steps
from tasks.run.terminal import Terminal


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


def beat(now: float, bar: Bar | Steps) -> None:
    lines.now = now
    bar.beat()


def started(total: int) -> Bar:
    lines.now = 0.0
    return Bar("training", total, None)


def begun_steps(now: float) -> Steps:
    lines.now = now
    return Steps()


def begin(now: float, steps: Steps, step: str) -> None:
    lines.now = now
    steps.begin(step)


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


def test_while_no_unit_finishes_a_line_a_minute_says_what_goes_on(lines):
    bar = started(4)
    bar.at = "ensemble on mine, 100 labels"
    for now in (30, 55, 60, 104, 106):
        beat(now, bar)
    update(110, bar, 1)
    beat(170, bar)
    assert lines == [
        "training: 0 of 4, none yet  ensemble on mine, 100 labels",
        "training: 0 of 4, none yet  ensemble on mine, 100 labels",
        "training: 1 of 4, the last one 60 s ago  ensemble on mine, 100 labels",
    ]


def test_a_bar_in_a_log_speaks_up_while_its_block_waits(monkeypatch, noted, capsys):
    monkeypatch.setattr(progress, "_SILENT_FOR", 0.05)
    said = threading.Event()
    monkeypatch.setattr(progress, "say", lambda line: said.set())
    with progress.progress_bar("training", 3):
        assert said.wait(30)
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


@pytest.fixture
def noted(monkeypatch):
    """Return what is noted in the log of the run."""
    lines: list[str] = []
    monkeypatch.setattr(progress, "log", lines.append)
    return lines


def test_the_log_of_a_run_says_how_far_a_bar_came(noted):
    with progress.progress_bar("training", 3) as bar:
        bar.update(3, {"best score": 0.31})
    assert noted == ["training: 3 of 3  best score 0.31"]


def test_what_is_said_is_noted_without_passwords(noted, capsys):
    progress.say("stage pairs")
    assert noted == ["stage pairs"] and "stage pairs" in capsys.readouterr().err


def test_a_line_holds_the_first_figures():
    assert progress.figures_text({"loss": 0.25, "seconds": 12.5}) == "loss 0.25  seconds 12.5"
    figures = {"held_out_similarity_loss": 0.5, "best_predicted": 0.25}
    assert progress.figures_text(figures) == "held-out loss 0.5  best predicted 0.25"
    assert progress.figures_text({str(place): place for place in range(9)}).endswith("7 7 ...")


def test_outside_of_runs_nothing_is_noted():
    progress.log("nobody asks")


def test_a_line_goes_to_the_logger_of_the_run(monkeypatch):
    lines = []
    monkeypatch.setattr("prefect.context.FlowRunContext.get", object)
    logger = SimpleNamespace(log=lambda level, form, text: lines.append((level, form % text)))
    monkeypatch.setattr("prefect.logging.get_run_logger", lambda: logger)
    progress.log("100 % of http://user:secret@host/")
    assert lines == [(20, "100 % of http://***@host/")] or "secret" not in lines[0][1]


@pytest.fixture
def terminal(monkeypatch):
    """Return what is printed on a terminal of 80 columns."""
    printed = io.StringIO()
    monkeypatch.setattr(progress, "console", Terminal(file=printed, force_terminal=True, width=80))
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    return printed


def test_a_line_too_long_for_a_terminal_goes_on_at_a_word_and_indented(terminal):
    progress.say("  " + "words " * 20)
    first, second, _ = terminal.getvalue().split("\n")
    assert first.split() + second.split() == ["words"] * 20 and first.startswith("  w") and second.startswith("  w")


def test_a_narrow_terminal_shows_all_digits_of_a_bar(terminal):
    with progress.progress_bar("fitting the guided encoder", 1500) as bar:
        bar.update(1500, {"R2": 0.9277})
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert re.search("fitting the guided encoder .* 1500/1500 left 0:00:00 R2 0.9277", shown) and "…" not in shown


def test_a_remark_is_printed_once_and_noted_each_time(noted, capsys):
    for _ in range(2):
        progress.say("only one of these", once=True)
    assert capsys.readouterr().err.count("only one") == 1 and len(noted) == 2


def test_a_step_that_takes_long_is_said_again_every_minute(lines):
    steps = begun_steps(0)
    beat(70, steps)
    begin(80, steps, "writing the ONNX file")
    for now in (120, 131, 140, 185):
        beat(now, steps)
    begin(190, steps, "comparing")
    beat(200, steps)
    assert lines == [
        "  writing the ONNX file",
        "  still writing the ONNX file, for 51 s",
        "  still writing the ONNX file, for 105 s",
        "  comparing",
    ]
