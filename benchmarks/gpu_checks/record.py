"""The file of the check's results, written whole after each figure, and the table made from it."""

import json
import platform
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_checks.bars import bars
from benchmarks.gpu_checks.setting import ROOT, Clock, OutOfTimeError, Part, Setting
from nasgem_core.deployment.device import device_name
from nasgem_core.digest import digest_of
from nasgem_core.files import written_whole

SCHEMA = "nasgem.gpu_check/1"
HARD = 1.5
"""A part is stopped after this many times the seconds that it should take."""


class Record:
    """What was found so far.

    Args:
        folder: where `gpu.json` and `gpu.md` are.
        setting: where the parts run; results of another device or another form are not gone on with.
        fresh: whether to begin again.
    """

    def __init__(self, folder: Path, setting: Setting, *, fresh: bool) -> None:
        self._folder = folder
        self.content: dict[str, Any] = {"schema": SCHEMA, "machine": machine(setting), "parts": {}}
        path = folder / "gpu.json"
        if not fresh and path.is_file():
            earlier = json.loads(path.read_text(encoding="utf-8"))
            if earlier.get("schema") == SCHEMA and earlier.get("machine") == self.content["machine"]:
                self.content = earlier

    def is_done(self, name: str) -> bool:
        """Say whether a part has ended well."""
        return self.content["parts"].get(name, {}).get("state") == "done"

    def run(self, name: str, part: Part, setting: Setting, *, seconds: float, limit: float) -> str:
        """Run a part, or what is left of it; return how it ended: done, out of time, or failed.

        Args:
            name: of the part.
            part: yields its figures.
            setting: where it runs.
            seconds: after these it begins nothing more.
            limit: after these at the latest it is stopped.
        """
        entry = self.content["parts"].setdefault(name, {"seconds": 0.0, "figures": {}})
        entry["state"] = "interrupted"
        entry.pop("error", None)
        start, before = time.monotonic(), entry["seconds"]
        hard = max(1.0, min(limit, HARD * seconds))
        signal.signal(signal.SIGALRM, _out_of_time)
        signal.setitimer(signal.ITIMER_REAL, hard)
        try:
            for key, value in part(setting, entry["figures"], Clock(seconds)):
                entry["figures"][key] = value
                entry["seconds"] = before + time.monotonic() - start
                self.write()
            entry["state"] = "done"
        except OutOfTimeError as error:
            entry["state"], entry["error"] = "out of time", str(error)
        except Exception:
            entry["state"], entry["error"] = "failed", traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        entry["seconds"] = before + time.monotonic() - start
        self.write()
        return str(entry["state"])

    def write(self) -> None:
        """Write both files."""
        for name, text in (("gpu.json", json.dumps(self.content, indent=2) + "\n"), ("gpu.md", self.table())):
            with written_whole(self._folder / name) as file:
                file.write(text.encode())

    def table(self) -> str:
        """Return the results as Markdown."""
        facts = self.content["machine"]
        lines = ["# GPU check", "", ", ".join(f"{name} {value}" for name, value in facts.items()), ""]
        if facts["reduced"]:
            lines += ["The reduced form: it shows that everything runs, and its figures mean nothing.", ""]
        lines += ["| part | state | seconds |", "|---|---|---|"]
        parts = self.content["parts"]
        lines += [f"| {name} | {part['state']} | {part['seconds']:.0f} |" for name, part in parts.items()]
        if not facts["reduced"]:
            judged = bars({name: part["figures"] for name, part in parts.items()})
            lines += ["", "| bar | wanted | found | met |", "|---|---|---|---|"]
            lines += [f"| {bar.what} | {bar.wanted} | {bar.found} | {bar.word} |" for bar in judged]
        lines += ["", "| figure | value |", "|---|---|"]
        lines += [
            f"| {name}: {key} | {_shown(value)} |"
            for name, part in parts.items()
            for key, value in part["figures"].items()
        ]
        for name, part in parts.items():
            if "error" in part:
                lines += ["", f"## {name}: {part['state']}", "", "```", part["error"].strip(), "```"]
        return "\n".join(lines) + "\n"


def machine(setting: Setting) -> dict[str, Any]:
    """Return what figures depend on."""
    facts: dict[str, Any] = {
        "device": device_name(setting.device),
        "reduced": setting.reduced,
        "code": _code(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": sys.platform,
    }
    if setting.is_gpu:
        properties = torch.cuda.get_device_properties(setting.device)
        facts |= {
            "CUDA": torch.version.cuda,
            "cuDNN": torch.backends.cudnn.version(),
            "memory (GiB)": round(properties.total_memory / 2**30, 1),
            "capability": f"{properties.major}.{properties.minor}",
        }
    return facts


def _code() -> str:
    """Return digits that are others where the code is another: a copy of the repository may be without git."""
    paths = sorted(path for folder in ("nasgem_core", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
    return digest_of([path.read_text(encoding="utf-8") for path in paths])[:8]


def _out_of_time(*_: object) -> None:
    raise OutOfTimeError("it was stopped in the middle of a step")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return f"{len(value)} values" if len(value) > 8 else ", ".join(map(_shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
