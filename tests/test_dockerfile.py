"""The Dockerfile, as far as it can be checked without a container engine: what it copies, its Python, its user."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
FROM, COPY, RUN, USER, ENTRYPOINT, WORKDIR = "FROM", "COPY", "RUN", "USER", "ENTRYPOINT", "WORKDIR"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions as (word, rest), continued lines joined and comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(filter(None, lines)).replace("\\\n", " ")
    return [(word, " ".join(rest)) for word, *rest in map(str.split, joined.splitlines())]


def copied() -> list[str]:
    """Return the sources of all COPY instructions."""
    words = [rest.split() for word, rest in instructions() if word == COPY]
    assert all(first == "--chown=nasgem" for first, *_ in words)
    return [source for _, *sources, _ in words for source in sources]


def in_context() -> list[str]:
    """Return what .dockerignore lets into the build: it leaves out everything, then names what stays."""
    first, *others = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert first == "*"
    return [line[1:] for line in others if line.startswith("!")]


def test_python_is_one_that_the_makefile_takes():
    (image,) = (rest for word, rest in instructions() if word == FROM)
    major, minor = re.fullmatch(r"python:(\d+)\.(\d+)-slim", image).groups()
    assert f"({major}, {minor})" in (ROOT / "Makefile").read_text()


def test_everything_that_is_copied_is_tracked_and_in_the_context():
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for source in copied():
        assert any(name == source or name.startswith(f"{source}/") for name in tracked), source
        assert any(Path(kept).is_relative_to(source) for kept in in_context()), f".dockerignore leaves out {source}"
    assert all(any(Path(kept).is_relative_to(source) for source in copied()) for kept in in_context())
    # What the package bundles are links to files below these.
    links = [path for path in (ROOT / "nasgem_core" / "bundled").rglob("*") if path.is_symlink()]
    bundled = [path.resolve().relative_to(ROOT) for path in links]
    assert bundled and all(any(path.is_relative_to(kept) for kept in in_context()) for path in bundled)


def test_packages_are_installed_by_make_which_requires_hashes():
    runs = [rest for word, rest in instructions() if word == RUN]
    assert [run.split()[:2] for run in runs[1:]] == [["make", ".venv/.packages"], ["make", ".venv/.project"]]
    assert not any("pip install" in run or "curl" in run for run in runs)


def test_nothing_but_the_preparation_runs_as_root():
    steps = instructions()
    (user,) = (place for place, (word, _) in enumerate(steps) if word == USER)
    assert steps[user][1] == "nasgem" and "useradd" in steps[user - 1][1]
    assert [word for word, _ in steps[:user]] == [FROM, RUN]
    last = dict(steps)
    assert last[ENTRYPOINT] == '["nasgem"]' and last["VOLUME"] == last[WORKDIR] == "/project"
    # `docker run --user NUMBER --entrypoint dvc`: DVC fails without the name of a user, and its stages call `nasgem`.
    assert last["ENV"] == "PATH=/nasgem/.venv/bin:$PATH USER=nasgem"
