import pytest
from prefect.exceptions import TerminationSignal

from flows.runtime import side_by_side
from flows.runtime.engines.engine import FatalTaskError, WorkerError
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.errors import DeviceMemoryError, NasgemError

INPUTS = [{"number": number} for number in range(4)]


class Future:
    """A result, or an error, that is there; the first of several is done when all have somebody who waits."""

    def __init__(self, found: object, others: list[tuple[object, object]], count: int) -> None:
        self.found, self.others, self.count = found, others, count

    def add_done_callback(self, tell) -> None:
        self.others.append((tell, self))
        if len(self.others) == self.count:
            for tell_of, future in reversed(self.others):
                tell_of(future)

    def result(self) -> object:
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found


class FakeEngine:
    """Runs nothing; the results of what was submitted are given, the last first. A list has one for each time."""

    def __init__(self, *found: object) -> None:
        self.found, self.submitted, self.terminated = found, [], 0

    def submit(self, task, inputs):
        self.submitted += inputs
        results = [self.found[values["number"]] for values in inputs]
        waiting: list[tuple[object, object]] = []
        return [Future(found.pop(0) if isinstance(found, list) else found, waiting, len(results)) for found in results]

    def terminate(self) -> None:
        self.terminated += 1

    def explained(self, error: BaseException) -> NasgemError | None:
        return WorkerError("a worker was ended") if isinstance(error, EOFError) else None


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    """Have even numbers be known."""
    monkeypatch.setattr(side_by_side, "is_cached", lambda task, number: number % 2 == 0)


def run(engine: FakeEngine) -> list[tuple[int, object]]:
    seen = []
    run_side_by_side(engine, lambda number: f"known {number}", INPUTS, lambda *result: seen.append(result))
    return seen


def test_known_results_come_first_and_the_others_with_their_index():
    engine = FakeEngine("", "one", "", "three")
    assert run(engine) == [(0, "known 0"), (2, "known 2"), (3, "three"), (1, "one")]
    assert engine.submitted == [INPUTS[1], INPUTS[3]] and not engine.terminated


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), TerminationSignal(15), OSError(28, "full"), MemoryError(), EOFError()]
)
def test_whatever_ends_it_ends_the_work_under_way(error):
    engine = FakeEngine("", error, "", "three")
    with pytest.raises(WorkerError if isinstance(error, EOFError) else type(error)):
        run(engine)
    assert engine.terminated == 1


def test_a_worker_that_died_is_reported_and_other_errors_stay_as_they_are():
    with pytest.raises(WorkerError, match=r"^a worker was ended$"):
        run(FakeEngine("", EOFError(), "", "three"))
    with pytest.raises(ZeroDivisionError):
        run(FakeEngine("", ZeroDivisionError(), "", "three"))


def test_without_anything_new_no_worker_is_started(monkeypatch):
    monkeypatch.setattr(side_by_side, "is_cached", lambda task, number: True)
    engine = FakeEngine()
    assert len(run(engine)) == 4 and engine.submitted == []


def test_a_task_that_no_worker_survives_gets_another_result_and_the_others_go_on():
    engine, seen = FakeEngine("", FatalTaskError("it ended all"), "", "three"), []
    run_side_by_side(
        engine, lambda number: number, INPUTS, lambda *result: seen.append(result), instead=lambda reason: [reason]
    )
    assert seen[2:] == [(3, "three"), (1, ["it ended all"])] and not engine.terminated
    with pytest.raises(FatalTaskError):
        run(engine)


def test_what_finds_too_little_memory_next_to_others_is_tried_again_by_itself(monkeypatch):
    crowded = DeviceMemoryError("cuda:0 has too little memory")
    engine, seen, said = FakeEngine("", [crowded, "one"], "", "three"), [], []
    monkeypatch.setattr(side_by_side, "say", said.append)
    run_side_by_side(engine, lambda number: number, INPUTS, lambda *result: seen.append(result))
    assert seen[2:] == [(3, "three"), (1, "one")] and engine.submitted == [INPUTS[1], INPUTS[3], INPUTS[1]]
    assert said == ["  1 found too little memory on the GPU: each is tried again by itself"]


def test_what_has_too_little_memory_by_itself_is_a_result_with_the_reason_or_an_error():
    crowded = DeviceMemoryError("cuda:0 has too little memory")
    engine, seen = FakeEngine("", [crowded] * 2, "", "three"), []
    run_side_by_side(
        engine, lambda number: number, INPUTS, lambda *result: seen.append(result), instead=lambda reason: reason
    )
    assert seen[-1] == (1, "by itself on the device too: cuda:0 has too little memory") and not engine.terminated
    engine = FakeEngine("", [crowded] * 2, "", "three")
    with pytest.raises(DeviceMemoryError):
        run(engine)
    assert engine.terminated == 1


def test_while_nothing_finishes_somebody_may_look(monkeypatch):
    engine, looks = FakeEngine("", "one", "", "three"), []
    monkeypatch.setattr(side_by_side, "WAIT", 0.001)
    monkeypatch.setattr(Future, "add_done_callback", lambda future, tell: futures.append((tell, future)))
    futures = []

    def look() -> None:
        looks.append(None)
        if len(looks) > 2:
            tell, future = futures.pop()
            tell(future)

    seen = []
    run_side_by_side(engine, lambda number: number, INPUTS, lambda *result: seen.append(result), on_wait=look)
    assert seen[2:] == [(3, "three"), (1, "one")] and len(looks) == 4
