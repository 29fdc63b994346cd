import pytest
from prefect.exceptions import TerminationSignal

from flows.runtime import side_by_side
from flows.runtime.runner import WorkerError
from flows.runtime.side_by_side import run_side_by_side

INPUTS = [{"number": number} for number in range(4)]


class Future:
    """A result, or an error, that is there."""

    def __init__(self, found: object) -> None:
        self.found = found

    def result(self) -> object:
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found


class FakeRunner:
    """Runs nothing; the results of what was submitted are given, the last first."""

    def __init__(self, *found: object) -> None:
        self.found, self.submitted, self.terminated = found, [], 0

    def submit(self, task, inputs):
        self.submitted += inputs
        return [Future(self.found[values["number"]]) for values in inputs]

    def terminate(self) -> None:
        self.terminated += 1

    def died(self, error: BaseException) -> bool:
        return isinstance(error, EOFError)


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    """Have even numbers be known, and workers finish in reverse order."""
    monkeypatch.setattr(side_by_side, "is_cached", lambda task, number: number % 2 == 0)
    monkeypatch.setattr(side_by_side, "as_completed", reversed)


def run(runner: FakeRunner) -> list[tuple[int, object]]:
    seen = []
    run_side_by_side(runner, lambda number: f"known {number}", INPUTS, lambda *result: seen.append(result))
    return seen


def test_known_results_come_first_and_the_others_with_their_index():
    runner = FakeRunner("", "one", "", "three")
    assert run(runner) == [(0, "known 0"), (2, "known 2"), (3, "three"), (1, "one")]
    assert runner.submitted == [INPUTS[1], INPUTS[3]] and not runner.terminated


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), TerminationSignal(15), OSError(28, "full"), MemoryError(), EOFError()]
)
def test_whatever_ends_it_ends_the_work_under_way(error):
    runner = FakeRunner("", error, "", "three")
    with pytest.raises(WorkerError if isinstance(error, EOFError) else type(error)):
        run(runner)
    assert runner.terminated == 1


def test_a_worker_that_died_is_reported_and_other_errors_stay_as_they_are():
    with pytest.raises(WorkerError, match=r"run again to go on, or use fewer --workers$"):
        run(FakeRunner("", EOFError(), "", "three"))
    with pytest.raises(ZeroDivisionError):
        run(FakeRunner("", ZeroDivisionError(), "", "three"))


def test_without_anything_new_no_worker_is_started(monkeypatch):
    monkeypatch.setattr(side_by_side, "is_cached", lambda task, number: True)
    runner = FakeRunner()
    assert len(run(runner)) == 4 and runner.submitted == []
