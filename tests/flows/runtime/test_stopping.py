import os
import signal
import threading
import time

import pytest

from flows.runtime import stopping as module
from flows.runtime.stopping import Stopping, answer_in_flow, answering_signals

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture
def ended(monkeypatch):
    """Give the exit codes of processes that end at once, which go on in these tests."""
    codes = []
    monkeypatch.setattr(module, "PATIENCE", 1e6)
    monkeypatch.setattr(module, "end_children", lambda: codes.append("children"))
    return codes


@BOTH
def test_the_first_signal_interrupts_and_the_second_ends_at_once(ended, capfd, number):
    stopping = Stopping("stopped. Kept", ended.append)
    with pytest.raises(KeyboardInterrupt):
        stopping.answer(number, None)
    assert capfd.readouterr().err == "\nnasgem: stopping ...\n" and not ended
    stopping.answer(number, None)
    assert capfd.readouterr().err == "nasgem: stopped. Kept\n"
    assert ended == ["children", 128 + number] and stopping.code == 128 + number


def test_what_does_not_end_in_order_is_ended(ended, capfd):
    gone = threading.Event()
    stopping = Stopping("stopped. Kept", lambda code: ended.append(code) or gone.set(), patience=0.05)
    with pytest.raises(KeyboardInterrupt):
        stopping.answer(signal.SIGTERM, None)
    assert gone.wait(10), "nothing ends a command that hangs"
    assert ended == ["children", 143] and capfd.readouterr().err.endswith("nasgem: stopped. Kept\n")


@BOTH
def test_signals_are_answered_inside_the_block_only(number):
    before = signal.getsignal(number)
    with answering_signals("words") as stopping:
        assert signal.getsignal(number) == stopping.answer
    assert signal.getsignal(number) is before


def test_a_background_job_goes_on_ignoring_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with answering_signals("words"):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ended")
def test_a_flow_of_prefect_does_not_keep_sigterm():
    from prefect.utilities.engine import capture_sigterm

    with answering_signals("words") as stopping:
        with pytest.raises(KeyboardInterrupt), capture_sigterm():
            answer_in_flow()
            assert signal.getsignal(signal.SIGTERM) == stopping.answer
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        assert signal.getsignal(signal.SIGTERM) == stopping.answer and stopping.code == 143


def test_a_served_run_is_ended_by_prefect():
    before = signal.getsignal(signal.SIGTERM)
    answer_in_flow()
    assert signal.getsignal(signal.SIGTERM) is before
