"""What a worker of a cluster does: it runs our tasks by their names, after a look at its own code.

What it sends back is bytes of plain values. A task runs there without Prefect: the machine that asked for it keeps the
record, so workers need neither its folder nor its servers.
"""

import importlib
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nasgem_core.errors import DeviceMemoryError, NasgemError
from tasks.run.placement import Placement, default_device
from tasks.stages.sent_images import OtherImagesError
from tasks.stages.worker_images import keep_packed_images
from tasks.store.caching import SourcePolicy
from tasks.store.fingerprint import source_fingerprint
from tasks.store.serialization import decode, encode

Outcome = tuple[str, bytes]
"""A word, "result", "refused", "memory" or "images", and a result or a reason."""
_TASKS = ("tasks.stages.proxy", "tasks.stages.small_gemnet")
"""Modules whose source says whether two machines have the same code: a search needs them in any case."""


class RefusedError(NasgemError):
    """A worker that cannot be used."""


def description() -> dict[str, str]:
    """Return what has to be the same on all machines, and where this process is."""
    return {
        "code": " ".join(source_fingerprint(module) for module in _TASKS),
        "Python": ".".join(map(str, sys.version_info[:2])),
        "torch": torch.__version__,
        "NumPy": np.__version__,
        "place": _place(),
    }


def run_here(module: str, name: str, source: str, values: Mapping[str, Any], images: bytes = b"") -> Outcome:
    """Run a task of ours with its inputs; return a word and its result, or why this worker has none.

    Args:
        module: where the task is defined.
        name: of the task.
        source: fingerprint of the source it depends on, where it was asked for.
        values: its inputs; work is placed on the device of this worker.
        images: those that it works on, packed, where this worker has asked for them.
    """
    place = _place()
    try:
        task = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return "refused", f"the worker at {place} does not have task {name} of {module}: it runs other code".encode()
    policy = task.cache_policy
    if isinstance(policy, SourcePolicy) and policy.source != source:
        return "refused", f"the worker at {place} runs other code than this machine".encode()
    placed = {
        key: replace(value, device=default_device()) if isinstance(value, Placement) else value
        for key, value in values.items()
    }
    try:
        if images:
            keep_packed_images(images)
        return "result", encode(task.fn(**placed))
    except DeviceMemoryError as error:
        return "memory", f"the worker at {place}: {error}".encode()
    except OtherImagesError as error:
        return ("refused" if images else "images"), f"the worker at {place}: {error}".encode()
    except NasgemError as error:
        return "refused", f"the worker at {place}: {error}".encode()


def needs_images(outcome: Outcome) -> bool:
    """Say whether a worker lacks the images of a task, and can be sent them."""
    return outcome[0] == "images"


def _place() -> str:
    return f"{socket.gethostname()}:{os.getcwd()}"


def opened(outcome: Outcome) -> Any:
    """Return the result that a worker has sent.

    Raises:
        DeviceMemoryError: its device has too little memory.
        RefusedError: it refused.
    """
    word, content = outcome
    if word == "memory":
        raise DeviceMemoryError(content.decode())
    if word == "refused":
        raise RefusedError(content.decode())
    return decode(content)
