"""The beginning of a script that runs exported files in a process where this package is shut out.

`nasgem_core.deployment.checking` adds the source of each form's function `run`, puts it into `RUNNERS`, and calls
`main`. Importing this package, a plug-in, torchvision or safetensors fails: exported files must do without them. Only
what `Runner.needs` names may be imported, and forms that need less are run first.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SHUT_OUT = ("nasgem_core", "tasks", "flows", "torchvision", "safetensors")
THRESHOLD = "threshold"
"""Name of the one array that is a setting and no example."""


@dataclass(frozen=True)
class Runner:
    """How one exported file is run: see `Handling` in `nasgem_core.deployment.form`."""

    run: Callable[..., Any]
    file: str
    takes: Sequence[str]
    needs: Sequence[str]


RUNNERS: dict[str, Runner] = {}
"""How the file of each form is run."""


class ShutOut:
    """Comes before all other finders, and refuses to find the packages that must not be needed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = set(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise `ImportError` for a package that is shut out; leave every other to the next finder."""
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is shut out: an exported network must work without it")
        return None

    def check(self) -> None:
        """Raise `ImportError` where a package that is shut out was imported all the same."""
        leaked = sorted(name for name in sys.modules if name.partition(".")[0] in self.names)
        if leaked:
            raise ImportError(f"{leaked[0]} was imported")


def main(folder: Path, names: Sequence[str]) -> None:
    """Run all files of a folder on the arrays of its `inputs.npz`, and write what they give to `outputs.npz`.

    Args:
        folder: of the exported network.
        names: of the packages that are shut out.
    """
    shut_out = ShutOut(names)
    sys.meta_path.insert(0, shut_out)
    with np.load(folder / "inputs.npz", allow_pickle=False) as file:
        inputs = {name: file[name] for name in file.files}
    outputs: dict[str, np.ndarray] = {}
    for form, runner in sorted(RUNNERS.items(), key=lambda item: len(item[1].needs)):
        shut_out.names -= set(runner.needs)
        outputs |= {f"{form}.{name}": array for name, array in _outputs(folder, runner, inputs)}
        shut_out.check()
    np.savez(folder / "outputs.npz", allow_pickle=False, **outputs)


def _outputs(folder: Path, runner: Runner, inputs: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield `<example>.<output>` and the values: examples are arrays called `<what the runner takes>.<example>`."""
    settings = [inputs[THRESHOLD]] if THRESHOLD in inputs else []
    network = runner.run(folder / runner.file, *settings)
    first = f"{runner.takes[0]}."
    for example in [name.removeprefix(first) for name in inputs if name.startswith(first)]:
        found = network(*(inputs[f"{name}.{example}"] for name in runner.takes))
        for place, array in enumerate(found):
            yield f"{example}.{place}", array
