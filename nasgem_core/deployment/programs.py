"""Programs of a network that run without its Python code: `torch.export` and ONNX, for any number of images."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import IMAGE_CHANNELS

CARD_KEY = "card.json"
"""Name of the card inside both files."""
OPSET = 20


def capture(network: nn.Module, card: NetworkCard) -> Any:
    """Return the `torch.export` program of a network in evaluation mode, with a free number of images.

    Raises:
        DataError: the network cannot be captured; what torch says is in the message.
    """
    # Two images: torch.export fixes the number of images at one where the example has one.
    example = torch.zeros(2, IMAGE_CHANNELS, card.image_size, card.image_size)
    with _quiet(), _saying(card.name, "torch.export"), torch.no_grad():
        return torch.export.export(network.eval(), (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))


def save_program(program: Any, card: NetworkCard, path: Path) -> None:
    """Write a captured network as a `.pt2` file, with its card inside."""
    with _quiet(), _saying(card.name, "torch.export"):
        torch.export.save(program, path, extra_files={CARD_KEY: card.to_json()})


def save_onnx(program: Any, card: NetworkCard, path: Path) -> None:
    """Write a captured network as one ONNX file, with its card inside; input `images`, output `logits`."""
    with _quiet(), _saying(card.name, "ONNX"):
        converted = torch.onnx.export(
            program, dynamo=True, opset_version=OPSET, input_names=["images"], output_names=["logits"], verbose=False
        )
        assert converted is not None
        converted.model.metadata_props[CARD_KEY] = card.to_json()
        converted.save(path, external_data=False)


@contextlib.contextmanager
def _saying(name: str, what: str) -> Iterator[None]:
    """Turn what an exporter raises, which can be any error, into one that names the network."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise DataError(f"{name} cannot be written by {what}: {lines[0]}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters' warnings, prints and log lines off the screen: they speak to the exporters' authors."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
