"""One Python file that rebuilds a network with torch alone: the cell as data, and the source of the classes."""

import ast
import inspect
import json
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.standalone.weights import read_weights
from nasgem_core.errors import DataError
from nasgem_core.training.image_reading import STANDALONE

_HEAD = '''"""{name}: a network exported by nasgem. It needs torch alone.

    import torch
    from network import CLASSES, build, prepare  # with the folder of this file on sys.path, as the current one is
    from PIL import Image

    network = build()         # reads weights.safetensors next to this file
    images = prepare(Image.open("photo.jpg"))[None]
    with torch.no_grad():
        logits = network(images)  # [B, 3, {size}, {size}] -> [B, {classes}]
    CLASSES[logits[0].argmax()]

What `prepare` does: turn the picture as its EXIF note says, and make it RGB. Cut out the square at its centre whose
side is CENTRE_SHARE of the shorter side, not rounded, and resize that to IMAGE_SIZE x IMAGE_SIZE pixels by PIL's
BILINEAR, which averages over all pixels that become one; torch's `interpolate` does not, and leads to other answers.
Divide by 255, subtract MEAN, divide by STD. It needs numpy and Pillow.
{other_classes}"""
'''

_OTHER_CLASSES = """
To train it on other classes, 5 for instance, exchange its last layer; call `network.eval()` after the training:

    network.set_submodule("{layer}", torch.nn.Linear({width}, 5))
    network.train()
"""

_PREPARE = '''def prepare(picture: Any) -> Tensor:
    """Return what the network is shown of a picture of PIL, [3, IMAGE_SIZE, IMAGE_SIZE], as in its validation."""
    import numpy as np
    from PIL import Image

    picture = upright(picture)
    width, height = picture.size
    side = min(width, height) * CENTRE_SHARE
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    pixels = np.array(picture.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR, box=box))
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    return (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - mean) / std
'''

_TAIL = '''def build(weights: str | Path | None = WEIGHTS) -> nn.Module:
    """Return the network in evaluation mode, with the weights of a file, or with new ones where that is None."""
    network = {construct}
    if weights is not None:
        network.load_state_dict(read_weights(weights))
    return network.eval()
'''

_MODULES = ("json", "math", "operator")
_IMPORTS = {
    "collections.abc": {"Callable[": "Callable", "Mapping[": "Mapping", "Sequence[": "Sequence"},
    "pathlib": {"Path(": "Path"},
    "typing": {": Any": "Any"},
}
"""Names of the standard library's modules, by what in the text needs them."""

Definition = Callable[..., Any] | str
"""A class or function whose source is copied, or the source itself."""


def python_file(
    card: NetworkCard, network: nn.Module, data: Mapping[str, Any], definitions: Sequence[Definition], construct: str
) -> str:
    """Return the text of the file of a classifier.

    Args:
        card: what its head describes.
        network: its last dense layer is named there, as what to exchange for other classes.
        data: values by the name of their constants, such as {"EDGES": [[0, 1], ...]}.
        definitions: as in `compose`.
        construct: the expression that builds the network from the constants.
    """
    count = len(card.classes)
    dense = [(name, part) for name, part in network.named_modules() if isinstance(part, nn.Linear)]
    exchange = ""
    if dense and dense[-1][1].out_features == count:
        exchange = _OTHER_CLASSES.format(layer=dense[-1][0], width=dense[-1][1].in_features)
    head = _HEAD.format(name=card.name, size=card.image_size, classes=count, other_classes=exchange)
    own = {
        "IMAGE_SIZE": card.image_size,
        "CENTRE_SHARE": card.centre_share,
        "MEAN": card.mean,
        "STD": card.std,
        "CLASSES": card.classes,
    }
    return compose(head, own | dict(data), (*definitions, *STANDALONE, _PREPARE), construct)


def compose(
    head: str,
    data: Mapping[str, Any],
    definitions: Sequence[Definition],
    construct: str,
    imports: Sequence[str] = (),
) -> str:
    """Return the text of a file that builds a network.

    Args:
        head: its docstring, in quotes.
        data: values by the name of their constants.
        definitions: classes and functions that make up the file; they may use each other, `torch`, `Tensor`, `nn` and
            what `_MODULES`, `_IMPORTS` and `imports` name.
        construct: the expression that builds the network from the constants.
        imports: lines that follow those of torch.

    Raises:
        DataError: two of the definitions have the same name.
    """
    sources = [item if isinstance(item, str) else inspect.getsource(item) for item in (*definitions, read_weights)]
    sources.append(_TAIL.format(construct=construct))
    text = "\n\n".join(sources)
    _check_names(text)
    standard = [f"import {module}" for module in _MODULES if f"{module}." in text]
    for module, words in _IMPORTS.items():
        names = [name for word, name in words.items() if word in text]
        standard += [f"from {module} import {', '.join(names)}"] if names else []
    lines = "\n".join([*standard, "", "import torch", "from torch import Tensor, nn", *imports])
    constants = "".join(f"{name} = {literal(values)}\n" for name, values in data.items())
    constants += 'WEIGHTS = Path(__file__).with_name("weights.safetensors")\n'
    return f"{head}\n{lines}\n\n{constants}\n\n{text}"


def _check_names(text: str) -> None:
    names = Counter(node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    for name, count in names.items():
        if count > 1:
            raise DataError(f"{count} definitions are called {name!r}, so they cannot be in one Python file")


def literal(value: Any) -> str:
    """Return Python text of a number, a word, or a sequence of numbers, words or pairs, in lines that can be read."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, list | tuple):
        return repr(value)
    words = [literal(item) for item in value]
    text = ", ".join(words) + ("," if len(words) == 1 else "")
    if len(text) < 90:
        return f"({text})"
    # A name may hold blanks: lines are broken between values only.
    pieces = " ".join(f"{word},".replace(" ", "\0") for word in words)
    lines = textwrap.wrap(pieces, 112, break_long_words=False, break_on_hyphens=False)
    return "(\n" + "".join(f"    {line}\n" for line in lines).replace("\0", " ") + ")"
