"""Copies of the repository in which tests and benchmarks run the command line as a user does, in real processes."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryFile

from ruamel.yaml import YAML

from flows.stages.catalogue import SEARCHED
from tasks.run.parameters import complete
from tests.flows.commands import SCRIPTS, Running, begin, plain_environment, shims

ROOT = Path(__file__).parents[2]
_FILES = (".dvc/config", ".dvcignore", ".gitignore", "dvc.yaml", "pyproject.toml")
_CODE = ("flows", "tasks", "nasgem_core", "nasgem")
_FOLDERS = (*_CODE, "profiles", "data/raw", "data/tables")
_WITHOUT_CACHES = shutil.ignore_patterns("__pycache__")


class Workspace:
    """A copy of the repository with the tiny profile.

    Its commands run the code that is tested, which is so compiled once for all; `own_code` has them run the copy. Each
    command starts a Prefect server of its own, unless `using` names one that runs already, which saves seconds.
    `nasgem` begins at once, as `tests/flows/fork_server.py` says; the script `NASGEM` itself is an ordinary process.
    """

    def __init__(self, root: Path, code: Path = ROOT, api: str = "") -> None:
        self.root, self.code, self.api = root, code, api

    @classmethod
    def create(cls, root: Path) -> "Workspace":
        for name in _FOLDERS:
            shutil.copytree(ROOT / name, root / name, ignore=_WITHOUT_CACHES, symlinks=True)
        for name in _FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        for folder in (".nasgem", ".nasgem/dvc", ".nasgem/dvc/repo"):  # as `make` does when it installs
            (root / folder).mkdir(mode=0o700)
        (root / "params.yaml").write_bytes(complete(ROOT / "profiles" / "tiny.yaml"))
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        return cls(root)

    def copy(self, root: Path) -> "Workspace":
        shutil.copytree(self.root, root, symlinks=True)
        return Workspace(root, self.code, self.api)

    def using(self, api: str) -> "Workspace":
        return Workspace(self.root, self.code, api)

    def own_code(self) -> "Workspace":
        return Workspace(self.root, self.root, self.api)

    def environment(self, **extra: str) -> dict[str, str]:
        kept = plain_environment()
        return {
            **kept,
            "PATH": f"{SCRIPTS}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": str(self.code),
            **({"NUMBA_CACHE_DIR": str(compiled())} if self.code == ROOT else {}),
            **({"PREFECT_API_URL": self.api} if self.api else {}),
            **extra,
        }

    def start(self, *command: str, output: Path | None = None, **extra: str) -> Running:
        """Start a command in a process group of its own, as a terminal does."""
        with (output or Path(os.devnull)).open("ab") as file:
            return begin(command, self.root, self.environment(**extra), file, file)

    def run(self, *command: str, timeout: float = 900, **extra: str) -> subprocess.CompletedProcess:
        """Run a command to its end; output and errors are kept as text. What it starts may be forked, too."""
        environment = self.environment(**extra)
        environment["PATH"] = f"{shims()}{os.pathsep}{environment['PATH']}"
        with TemporaryFile() as output, TemporaryFile() as errors:
            process = begin(command, self.root, environment, output, errors)
            try:
                code = process.wait(timeout)
            finally:
                process.kill()
            texts = []
            for file in (output, errors):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(command, code, *texts)

    def succeed(self, *command: str, **extra: str) -> str:
        """Run a command that has to succeed, without a traceback; return what it printed."""
        done = self.run(*command, **extra)
        text = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{text}"
        assert_clean(text)
        return text

    def refused(self, *command: str, **extra: str) -> str:
        """Run a command that has to fail with one line on standard error; return that line."""
        done = self.run(*command, **extra)
        assert done.returncode not in (0, -signal.SIGKILL), f"{' '.join(command)} did not fail:\n{done.stdout}"
        assert_clean(done.stderr)
        lines = [
            line
            for line in done.stderr.splitlines()
            if not line.startswith(("stage ", "training ", "params.yaml: set ", "DVC does not notice "))
            and not line.endswith("has no checksum: it is taken as written by hand")
        ]
        assert len(lines) == 1 and lines[0].startswith("nasgem: "), done.stderr
        return lines[0]

    def configure(self, section: str, **values: object) -> None:
        """Set parameters of a section in params.yaml."""
        yaml, path = YAML(), self.root / "params.yaml"
        document = yaml.load(path)
        document[section].update(values)
        yaml.dump(document, path)

    def kill_training(self, stage: str, logs: Path, longest: float) -> None:
        """Run a stage three times and kill it, each up to so many seconds after a checkpoint lay there."""
        generator = Random(0)
        checkpoints = self.root / ".nasgem" / "checkpoints" / stage
        for attempt in range(3):
            log = logs / f"{attempt}.log"
            log.touch()
            process = self.start("nasgem", "stage", stage, output=log)
            while process.poll() is None and not list(checkpoints.rglob("*.safetensors")):
                time.sleep(0.02)
            time.sleep(generator.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.wait_until_deserted()

    def weights(self, stage: str) -> dict[str, str]:
        """Return the hash of every weights file of a stage."""
        return {name: digest for name, digest in self.hashes(stage).items() if name.endswith(".safetensors")}

    def hashes(self, *stages: str) -> dict[str, str]:
        """Return the hash of every file that the stages have written."""
        files = [path for path in (self.root / "data").rglob("*") if path.is_file() and not path.name.startswith(".")]
        return {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
            if path.relative_to(self.root).parts[1] in (stages or STAGE_FOLDERS)
        }

    def records(self, task: str = "proxy-training-") -> dict[str, str]:
        """Return the hash of every record of a cached task; a finished training has one for good."""
        storage = self.root / ".nasgem" / "prefect" / "storage"
        files = [path for path in storage.glob(f"{task}*") if re.fullmatch(r"[0-9a-f]{40}", path.name[-40:])]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def processes(self) -> list[str]:
        """Return the command lines of all processes that work in this folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").resolve() == self.root.resolve() and (entry / "stat").read_text().split()[2] != "Z":
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return found

    def wait_for(self, condition: Callable[[], bool], seconds: float = 300) -> None:
        """Wait until something has come about in this folder."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"in vain; running: {self.processes()}"
            time.sleep(0.05)

    def wait_for_line(self, log: Path, start: str) -> None:
        """Wait until a line of the log begins with `start`."""
        self.wait_for(lambda: any(line.startswith(start) for line in log.read_text().splitlines()))

    def wait_until_deserted(self, seconds: float = 20) -> None:
        """Wait until nothing works in this folder any more; whatever stays is an error."""
        deadline = time.monotonic() + seconds
        while self.processes():
            assert time.monotonic() < deadline, f"left behind: {self.processes()}"
            time.sleep(0.2)


@cache
def compiled(versions: int = 3) -> Path:
    """Return where Numba keeps what it has compiled of the code as it is now; the last few versions stay."""
    digest = hashlib.sha256()
    for path in sorted(path for name in _CODE for path in (ROOT / name).rglob("*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    kept = ROOT / ".nasgem" / "tests"
    folder = kept / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    used = sorted(kept.glob("?" * 16), key=lambda path: path.stat().st_mtime)
    for earlier in used[:-versions]:
        shutil.rmtree(earlier, ignore_errors=True)
    return folder


STAGE_FOLDERS = (*SEARCHED, "metrics", "headlines")
"""Folders in data/ that a search fills."""


def assert_clean(text: str) -> None:
    """Nothing on the screen that is not meant for a user; DVC may say that a killed process has lost its lock."""
    text = re.sub(r"WARNING: Process .* had been killed\. Auto removed it from the lock file\.", "", text)
    for unwanted in ("Traceback (most recent call last)", "Error:", "Warning:", "WARNING"):
        assert unwanted not in text, text


def assert_only_grown(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """No finished training is repeated: its record is there, byte for byte."""
    changed: Sequence[str] = [name for name, digest in before.items() if after.get(name) != digest]
    assert not changed, f"finished trainings were done again: {changed}"
