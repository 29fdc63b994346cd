"""What a form of exported networks is, such as ONNX: how a network is written in it, and run without nasgem."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasgem_core.errors import NasgemError
from nasgem_core.registry import Registry, modules_in


@dataclass(frozen=True)
class Handling:
    """How one kind of network, classifiers or detectors, is written in a form and run without nasgem.

    Args:
        write: writes the form's file, from an original (see `nasgem_core.deployment.originals`) and the path.
        run: opens that file, from its path, and for a detector the threshold of its scores as an array []; returns a
            function from the arrays of `takes` to the list of outputs. Its source is run in a process that cannot
            import nasgem: it uses nothing from around it and imports what it needs itself.
        takes: names of the arrays that it is given of each example: `images` of a classifier; of a detector `picture`
            [3, H, W] of any size, or `image` and `size`, a picture in the corner of a canvas and its height and width.
        needs: packages that it may import of those that are otherwise shut out, see `isolated.SHUT_OUT`.
    """

    write: Callable[[Any, Path], None]
    run: Callable[..., Any]
    takes: tuple[str, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A form in which networks leave nasgem.

    Args:
        name: the word that the user types, such as "onnx".
        label: what it is in messages, such as "the ONNX file".
        file: name of the file in the exported folder.
        classifier: how classifiers are written and run.
        detector: how detectors are.
        partial: some networks cannot be written in it; they are exported without it where other forms are wanted too.
    """

    name: str
    label: str
    file: str
    classifier: Handling
    detector: Handling
    partial: bool = False


ALL_FORMS = "all"
"""The word for all forms at once."""
INT8 = "int8"
"""The word for ONNX of 8 bits, which is no such form: it needs images and differs from the original."""
INT8_FILE = "network.int8.onnx"
ONNX_APP = "classify.py"
"""A script next to the ONNX file of a classifier, which runs it without nasgem."""
OWN_FORMS = modules_in("nasgem_core.deployment.forms", "FORM")
FORMS: Registry[Form] = Registry("form", OWN_FORMS, "nasgem.forms")
"""Our own forms, and those that installed packages add."""


def forms_named(names: Sequence[str] | None = None) -> list[Form]:
    """Return forms by name, by default all of them.

    Raises:
        NasgemError: a form is unknown, or the package that adds it is broken.
    """
    return [FORMS.get(name) for name in (FORMS.names() if names is None else dict.fromkeys(names))]


def form_files() -> set[str]:
    """Return the names of the files that exports write; a package that is broken has written none."""
    files = {INT8_FILE, ONNX_APP}
    for name in FORMS.names():
        with suppress(NasgemError):
            files.add(FORMS.get(name).file)
    return files
