import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHILD = """
import os, sys, time
from flows.runtime.processes import follow
parent = int(sys.argv[1])
while {late} and os.getppid() == parent:
    time.sleep(0.01)
follow(parent)
print("following", flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("late", [False, True], ids=["parent dies later", "parent is dead already"])
def test_a_process_ends_with_its_parent(late):
    code = CHILD.format(late=late)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys, time\n"
            f"child = subprocess.Popen([sys.executable, '-c', {code!r}, str(os.getpid())])\n"
            "print(child.pid, flush=True)\ntime.sleep(60)",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    if not late:
        assert parent.stdout.readline() == "following\n"
    assert not gone(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 20
    while not gone(child):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.1)


@pytest.mark.parametrize("others", [0, 3], ids=["one thread", "threads that may take the signal"])
def test_interrupts_are_held_back_and_come_afterwards(others):
    from flows.runtime.processes import ignoring_interrupts

    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(others)]
    for thread in threads:
        thread.start()
    reached = False
    try:
        with pytest.raises(KeyboardInterrupt), ignoring_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            reached = True
    finally:
        done.set()
    assert reached
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
