"""Kill a search and a `dvc repro` at random moments: no finished work is repeated, and the result is the same.

Run it with `python benchmarks/kill_test.py [KILLS]` (10 of each by default, about 20 minutes). It works in copies of
the repository in a temporary folder, with the tiny profile, and ends with an error if

* a process is left behind,
* a finished training is repeated (the record of a training is never rewritten),
* the next start does not resume (a lock is left, a half-written file is in the way),
* a file of the result differs from that of an undisturbed search.
"""

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.flows.commands import NASGEM
from tests.flows.workspace import Workspace, assert_only_grown


def main(kills: int, seed: int) -> None:
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="nasgem-kill-") as folder:
        pristine = Workspace.create(Path(folder, "pristine"))
        undisturbed = pristine.copy(Path(folder, "undisturbed"))
        started = time.monotonic()
        undisturbed.succeed(NASGEM, "search")
        duration = time.monotonic() - started
        print(f"undisturbed search: {duration:.0f} s, {len(undisturbed.records())} trainings", flush=True)
        for command in ((NASGEM, "search"), ("dvc", "repro")):
            kill_often(
                command,
                pristine,
                Path(folder, command[1]),
                undisturbed=undisturbed,
                kills=kills,
                duration=duration,
                generator=generator,
            )
    print("passed")


def kill_often(
    command: tuple[str, ...],
    pristine: Workspace,
    folder: Path,
    *,
    undisturbed: Workspace,
    kills: int,
    duration: float,
    generator: random.Random,
) -> None:
    disturbed = pristine.copy(folder)
    done, restarts = 0, 0
    while done < kills:
        before = disturbed.records()
        log = folder.with_suffix(f".{done}.log")
        process = disturbed.start(*command, output=log)
        delay = generator.uniform(0.5, duration)
        deadline = time.monotonic() + delay
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
            finished = False
        else:
            assert process.returncode == 0, f"{' '.join(command)} failed:\n{log.read_text()}"
            finished = True
        disturbed.wait_until_deserted()
        assert_only_grown(before, disturbed.records())
        print(f"{' '.join(command)}: kill {done} after {delay:.0f} s, {len(disturbed.records())} trainings", flush=True)
        if finished:
            compare(undisturbed, disturbed)
            restarts += 1
            disturbed = pristine.copy(folder.with_name(f"{folder.name}-{restarts}"))
    before = disturbed.records()
    disturbed.succeed(*command)
    assert_only_grown(before, disturbed.records())
    compare(undisturbed, disturbed)


def compare(undisturbed: Workspace, disturbed: Workspace) -> None:
    expected, found = undisturbed.hashes(), disturbed.hashes()
    differing = [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]
    assert not differing, f"these files differ from those of the undisturbed search: {differing}"
    assert disturbed.records().keys() == undisturbed.records().keys()
    assert "up to date" in disturbed.succeed("dvc", "status")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, seed=0)
