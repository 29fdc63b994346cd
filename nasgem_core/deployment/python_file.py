"""One Python file that rebuilds a network with torch alone: the cell as data, and the source of the classes."""

import inspect
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.standalone.weights import read_weights

_HEAD = '''"""{name}: a network exported by nasgem. It needs torch alone.

    from network import build

    network = build()        # reads weights.safetensors beside this file
    logits = network(images)  # [B, 3, {size}, {size}] -> [B, {classes}]

How `images` are made of a picture: crop the square at its centre whose side is CENTRE_SHARE of the picture's shorter
side, resize it to IMAGE_SIZE x IMAGE_SIZE pixels (bilinear), divide by 255, subtract MEAN, divide by STD. The largest
logit is the class CLASSES[i].
"""
'''

_TAIL = '''def build(weights: str | Path | None = Path(__file__).with_name("weights.safetensors")) -> nn.Module:
    """Return the network in evaluation mode, with the weights of a file, or with new ones where that is None."""
    network = {construct}
    if weights is not None:
        network.load_state_dict(read_weights(weights))
    return network.eval()
'''

_IMPORTS = {
    "json.": "import json",
    "math.": "import math",
    "operator.": "import operator",
    "Callable[": "from collections.abc import Callable",
    "Sequence[": "from collections.abc import Sequence",
    "Path(": "from pathlib import Path",
    ": Any": "from typing import Any",
}
"""Lines of the standard library, by what in the text needs them."""

Definition = Callable[..., Any] | str
"""A class or function whose source is copied, or the source itself."""


def python_file(card: NetworkCard, data: Mapping[str, Any], definitions: Sequence[Definition], construct: str) -> str:
    """Return the text of the file of a classifier.

    Args:
        card: what stands at its head.
        data: values by the name of their constants, such as {"EDGES": [[0, 1], ...]}.
        definitions: as in `compose`.
        construct: the expression that builds the network from the constants.
    """
    head = _HEAD.format(name=card.name, size=card.image_size, classes=len(card.classes))
    own = {
        "IMAGE_SIZE": card.image_size,
        "CENTRE_SHARE": card.centre_share,
        "MEAN": card.mean,
        "STD": card.std,
        "CLASSES": card.classes,
    }
    return compose(head, own | dict(data), definitions, construct)


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
            what `_IMPORTS` and `imports` name.
        construct: the expression that builds the network from the constants.
        imports: lines that follow those of torch.
    """
    sources = [item if isinstance(item, str) else inspect.getsource(item) for item in (*definitions, read_weights)]
    sources.append(_TAIL.format(construct=construct))
    standard = [line for word, line in _IMPORTS.items() if any(word in source for source in sources)]
    lines = "\n".join([*standard, "", "import torch", "from torch import Tensor, nn", *imports])
    constants = "".join(f"{name} = {literal(values)}\n" for name, values in data.items())
    return "\n\n".join([f"{head}\n{lines}\n\n{constants}", *sources])


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
