"""The tests that need a GPU: those marked `gpu`, which use the core alone."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks.gpu_checks.setting import ROOT, Clock, Figures, Setting

MARK = "pytest.mark.gpu"


def marked(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Run them; without a GPU only collect them."""
    files = sorted(str(path) for path in (ROOT / "tests").rglob("test_*.py") if MARK in path.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-m", "gpu", "--noconftest", f"--junitxml={report}"),
                # Another version of a library may warn of something else.
                *("-o", "filterwarnings=default", *files),
                *(() if setting.is_gpu else ("--collect-only",)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=max(1.0, clock.left),
            check=False,
        )
        if not setting.is_gpu:
            if done.returncode:
                raise RuntimeError(done.stdout[-2000:])
            yield "collected", sum("::" in line for line in done.stdout.splitlines())
            return
        if not report.is_file():
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failures = [case.get("name") for case in cases if len(case) and case[0].tag in ("failure", "error", "skipped")]
    yield "passed", len(cases) - len(failures)
    yield "failures", failures
    if failures:
        yield "output", done.stdout[-8000:]
