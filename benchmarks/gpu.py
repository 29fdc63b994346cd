"""Check proxy training on a GPU, and measure it, within 8 minutes.

It needs PyTorch and what else `nasgem_core` imports, but no Prefect, MLflow, DVC, igraph or pycocotools, and nothing
has to be installed: run `python benchmarks/gpu.py` in a copy of the repository. It writes gpu.json and gpu.md into
`--output` after each figure. A part that has failed or ran out of time leaves its reason there, and the next part runs;
the same command goes on with what is missing. `--device cpu --reduced` shows that everything runs.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PARTS = {
    "tests": ("marked", 75.0),
    "parity": ("parity", 60.0),
    "kernels": ("kernels", 15.0),
    "throughput": ("throughput", 170.0),
    "accuracy": ("accuracy", 110.0),
    "networks": ("networks", 50.0),
}
"""The module and function of each part, and the seconds after which it begins nothing more."""
LIMIT = 470.0
"""Seconds in all."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Check and measure proxy training on a GPU, within 8 minutes.")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu with --reduced")
    parser.add_argument("--reduced", action="store_true", help="tiny sizes, whose figures mean nothing")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="run these only")
    parser.add_argument("--output", type=Path, default=ROOT / "gpu_check", help="where gpu.json and gpu.md go")
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--cell", type=Path, help="file of the cell that GEMNet-A is built from")
    options = parser.parse_args()
    # Processes that a part starts import this file as well, and need none of this.
    from benchmarks.gpu_checks.record import Record
    from benchmarks.gpu_checks.setting import Setting

    setting = Setting(options.device, options.reduced, options.cell)
    record = Record(options.output, setting, fresh=options.fresh)
    start = time.monotonic()
    patience = 20 if options.reduced else 1  # a CPU may be busy with other work
    for name, (word, seconds) in PARTS.items():
        if name not in options.parts or record.is_done(name):
            continue
        part = getattr(importlib.import_module(f"benchmarks.gpu_checks.{word}"), word)
        left = patience * LIMIT - (time.monotonic() - start)
        allowed = min(patience * seconds, left)
        print(f"{name}, about {allowed:.0f} s", flush=True)
        print(f"  {record.run(name, part, setting, seconds=allowed, limit=left)}", flush=True)
        setting.release_memory()
    print(record.table())


if __name__ == "__main__":
    main()
