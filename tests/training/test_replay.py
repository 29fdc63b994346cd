from contextlib import contextmanager

import pytest
import torch

from nasgem_core.training.replay import Replay, capture_graph


def counting():
    calls: list[str] = []
    return calls, lambda: calls.append("eager")


def test_the_first_calls_run_as_they_are_and_the_rest_is_replayed():
    calls, function = counting()
    captured = []

    def capture(given):
        captured.append(given)  # a capture runs nothing
        return lambda: calls.append("replay")

    replay = Replay(function, capture, eager_calls=2)
    for _ in range(4):
        replay()
    assert calls == ["eager", "eager", "replay", "replay"] and captured == [function]
    assert replay.is_captured and not replay.fault


def test_what_cannot_be_captured_goes_on_as_it_is_with_a_word():
    calls, function = counting()
    attempts = []

    def capture(_given):
        attempts.append(1)
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore lines")

    replay = Replay(function, capture, eager_calls=1)
    for _ in range(3):
        replay()
    assert calls == ["eager"] * 3 and attempts == [1] and not replay.is_captured
    assert replay.fault == "CUDA error: operation not permitted when stream is capturing"


def test_missing_memory_is_not_taken_for_a_function_that_cannot_be_captured():
    def capture(_given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        Replay(lambda: None, capture, eager_calls=0)()


class FakeCuda:
    """What a capture uses of torch.cuda; ending one fails where `fails` says so."""

    def __init__(self, fails):
        self.fails, self.calls = fails, []
        self.default_generators = [self]

    def CUDAGraph(self):
        return self

    def replay(self):
        self.calls.append("replay")

    def graph_pool_handle(self):
        return (0, 7)

    def current_stream(self):
        return "ours"

    def current_device(self):
        return 0

    def clone_state(self):
        return "numbers"

    def graphsafe_set_state(self, state):
        self.calls.append(state)

    @contextmanager
    def graph(self, graph, *, pool, stream, capture_error_mode):
        assert (graph, pool, stream, capture_error_mode) == (self, (0, 7), "ours", "thread_local")
        try:
            yield
        finally:
            if self.fails:
                raise RuntimeError("the capture was invalidated")


@pytest.mark.parametrize("known", [True, False])
def test_of_a_capture_that_failed_the_cause_is_said_and_nothing_stays(monkeypatch, known):
    def end(device, pool):
        ended.append((device, pool))
        if known:
            raise RuntimeError("not recording to this pool")  # as versions say that have ended it themselves

    def fail():
        raise RuntimeError("not permitted")

    ended, fake = [], FakeCuda(fails=True)
    monkeypatch.setattr(torch, "cuda", fake)
    monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", end)
    with pytest.raises(RuntimeError, match=r"^not permitted$"):
        capture_graph(fail)
    assert ended == [(0, (0, 7))] and fake.calls == ["numbers"]
    with pytest.raises(RuntimeError, match=r"^the capture was invalidated$"):
        capture_graph(lambda: None)


def test_a_capture_on_the_current_stream_gives_its_replay(monkeypatch):
    fake, calls = FakeCuda(fails=False), []
    monkeypatch.setattr(torch, "cuda", fake)
    replay = capture_graph(lambda: calls.append("captured"))
    replay()
    assert calls == ["captured"] and fake.calls == ["replay"]


@pytest.fixture
def stream():
    with torch.cuda.stream(torch.cuda.Stream()):
        yield


@pytest.mark.gpu
def test_a_graph_does_again_what_was_captured(stream):
    total, step = torch.zeros((), device="cuda"), torch.ones((), device="cuda")

    def add():
        total.add_(step)

    replay = Replay(add)
    for _ in range(5):
        replay()
    step.fill_(10)
    replay()
    assert replay.is_captured and total.item() == 15


@pytest.mark.gpu
def test_why_a_capture_failed_is_said_and_the_stream_still_works(stream):
    total = torch.zeros((), device="cuda")

    def wait():
        total.add_(1)
        total.item()

    replay = Replay(wait, eager_calls=1)
    for _ in range(3):
        replay()
    assert replay.fault and total.item() == 3
    torch.cuda.empty_cache()
    assert 0 <= torch.rand((), device="cuda").item() <= 1
    good = Replay(lambda: total.add_(torch.rand((), device="cuda")), eager_calls=1)
    for _ in range(3):
        good()
    assert good.is_captured and not good.fault and 3 < total.item() < 6


@pytest.mark.gpu
def test_errors_of_the_function_itself_come_through(stream):
    total = torch.zeros((), device="cuda")

    def fail():
        total.add_(1)
        raise ValueError("of the function")

    with pytest.raises(ValueError, match="of the function"):
        capture_graph(fail)
