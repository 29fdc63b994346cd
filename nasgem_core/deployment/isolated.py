"""Run as a script: what the exported files of a folder give in a process where this package is shut out.

    python -I isolated.py FOLDER classifier|detector

Reads `inputs.npz`, runs every exported form that lies in FOLDER on what stands there, and writes `outputs.npz`.
Importing this package, torchvision or safetensors fails: the forms must do without them. Only a detector's Python file
and `torch.export` program may use torchvision; its ONNX file is run before.

- Of a classifier: an array of images for each input, `<form>.<input>` for its logits.
- Of a detector: `picture.<i>` for the Python file, `image.<i>` and `size.<i>` for the programs, and one `threshold`;
  `<form>.<i>.boxes`, `.labels` and `.scores` for what was found.
"""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SHUT_OUT = ("nasgem_core", "tasks", "flows", "torchvision", "safetensors")
PYTHON, TORCH, ONNX, WEIGHTS = "network.py", "network.pt2", "network.onnx", "weights.safetensors"
FOUND = ("boxes", "labels", "scores")

Arrays = Mapping[str, np.ndarray]
Network = Callable[..., Sequence[np.ndarray]]


class ShutOut:
    """Comes before all other finders and lets nobody import the packages that must not be needed."""

    def __init__(self) -> None:
        self.names = set(SHUT_OUT)

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


def python_module(folder: Path) -> Any:
    """Return the exported Python file as a module."""
    spec = importlib.util.spec_from_file_location("network", folder / PYTHON)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torch_program(folder: Path) -> Network:
    """Return the `torch.export` program as a function of arrays."""
    import torch

    program = torch.export.load(folder / TORCH).module()

    def run(*arrays: np.ndarray) -> list[np.ndarray]:
        outputs = program(*map(torch.as_tensor, arrays))
        return [output.detach().numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return run


def onnx_program(folder: Path) -> Network:
    """Return the ONNX file as a function of arrays."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / ONNX, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))


def classifier_outputs(folder: Path, inputs: Arrays, shut_out: ShutOut) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and logits of each form and input."""
    for form, run in _classifier_forms(folder):
        for name, images in inputs.items():
            yield f"{form}.{name}", run(images)[0]
    shut_out.check()


def _classifier_forms(folder: Path) -> Iterator[tuple[str, Network]]:
    if (folder / PYTHON).exists():
        built = python_module(folder).build(folder / WEIGHTS)
        import torch

        yield "python", lambda images: [built(torch.from_numpy(images)).detach().numpy()]
    if (folder / TORCH).exists():
        yield "torch", torch_program(folder)
    if (folder / ONNX).exists():
        yield "onnx", onnx_program(folder)


def detector_outputs(folder: Path, inputs: Arrays, shut_out: ShutOut) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and values of what each form finds in each picture."""
    if (folder / ONNX).exists():
        yield from _found_by("onnx", onnx_program(folder), inputs)
    shut_out.check()
    shut_out.names.remove("torchvision")
    if (folder / TORCH).exists():
        importlib.import_module("torchvision")  # the program asks torch for torchvision's operations by name
        yield from _found_by("torch", torch_program(folder), inputs)
    if (folder / PYTHON).exists():
        import torch

        module = python_module(folder)
        module.SCORE_THRESHOLD = float(inputs["threshold"])
        detector = module.build(folder / WEIGHTS)
        with torch.no_grad():
            for i in _numbers("picture", inputs):
                (found,) = detector([torch.from_numpy(inputs[f"picture.{i}"])])
                yield from _named(f"python.{i}", [found[value].numpy() for value in FOUND])
    shut_out.check()


def _found_by(form: str, program: Network, inputs: Arrays) -> Iterator[tuple[str, np.ndarray]]:
    for i in _numbers("image", inputs):
        outputs = program(inputs[f"image.{i}"], inputs[f"size.{i}"], inputs["threshold"])
        yield from _named(f"{form}.{i}", outputs)


def _numbers(kind: str, inputs: Arrays) -> list[str]:
    return [name.partition(".")[2] for name in inputs if name.partition(".")[0] == kind]


def _named(name: str, values: Sequence[np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for kind, array in zip(FOUND, values, strict=True):
        yield f"{name}.{kind}", array


def main() -> None:
    """Read the folder and the kind of network named on the command line, and leave the outputs there."""
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    shut_out = ShutOut()
    sys.meta_path.insert(0, shut_out)
    with np.load(folder / "inputs.npz", allow_pickle=False) as file:
        inputs = {name: file[name] for name in file.files}
    outputs_of = {"classifier": classifier_outputs, "detector": detector_outputs}[kind]
    outputs = dict(outputs_of(folder, inputs, shut_out))
    np.savez(folder / "outputs.npz", allow_pickle=False, **outputs)


if __name__ == "__main__":
    main()
