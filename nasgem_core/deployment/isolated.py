"""Run as a script: what the exported files of a folder give in a process where this package is shut out.

    python -I isolated.py FOLDER

Reads `inputs.npz`, runs every exported form that lies in FOLDER on each of its arrays, and writes `outputs.npz` with
`<form>.<input>` for each. Importing this package, torchvision or safetensors fails: the forms must do without them.
"""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

SHUT_OUT = ("nasgem_core", "tasks", "flows", "torchvision", "safetensors")
PYTHON, TORCH, ONNX, WEIGHTS = "network.py", "network.pt2", "network.onnx", "weights.safetensors"

Network = Callable[[np.ndarray], np.ndarray]


class ShutOut:
    """Comes before all other finders and lets nobody import the packages that must not be needed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise `ImportError` for a package that is shut out; leave every other to the next finder."""
        if name.partition(".")[0] in SHUT_OUT:
            raise ImportError(f"{name} is shut out: an exported network must work without it")
        return None


def forms(folder: Path) -> Iterator[tuple[str, Network]]:
    """Yield name and function of each form that lies in the folder."""
    if (folder / PYTHON).exists():
        spec = importlib.util.spec_from_file_location("network", folder / PYTHON)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        built = module.build(folder / WEIGHTS)
        import torch

        yield "python", lambda images: built(torch.from_numpy(images)).detach().numpy()
    if (folder / TORCH).exists():
        import torch

        program = torch.export.load(folder / TORCH).module()
        yield "torch", lambda images: program(torch.from_numpy(images)).detach().numpy()
    if (folder / ONNX).exists():
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(folder / ONNX, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        yield "onnx", lambda images: session.run(None, {name: images})[0]


def main() -> None:
    """Read the folder named on the command line, and leave the outputs there."""
    folder = Path(sys.argv[1])
    sys.meta_path.insert(0, ShutOut())
    with np.load(folder / "inputs.npz", allow_pickle=False) as file:
        inputs = {name: file[name] for name in file.files}
    outputs = {f"{form}.{name}": run(images) for form, run in forms(folder) for name, images in inputs.items()}
    leaked = sorted(name for name in sys.modules if name.partition(".")[0] in SHUT_OUT)
    if leaked:
        raise ImportError(f"{leaked[0]} was imported")
    np.savez(folder / "outputs.npz", allow_pickle=False, **outputs)


if __name__ == "__main__":
    main()
