"""Fingerprints: of values, the same in every process, and of the source code a task stands on."""

import ast
import hashlib
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("nasgem_core", "tasks")
_NO_RESULT = {
    # Their values reach a key as inputs, or they only say how work is stored, shown or placed.
    "nasgem_core.config.checked_fields",
    "nasgem_core.config.search",
    "nasgem_core.errors",
    "nasgem_core.files",
    "nasgem_core.predictors.catalogue",
    "nasgem_core.config.transfer",
    "tasks.store.artifacts",
    "tasks.store.caching",
    "tasks.store.fingerprint",
    "tasks.run.parameters",
    "tasks.run.placement",
    "tasks.run.progress",
    "tasks.store.serialization",
}


def fingerprint(value: Any) -> str:
    """Return 40 hexadecimal digits that are equal for equal plain values, arrays, cells and dataclasses of these."""
    digest = hashlib.blake2b(digest_size=20)
    _update(digest, value)
    return digest.hexdigest()


def _update(digest: Any, value: Any) -> None:
    if value is None or isinstance(value, bool | int | float | str):
        digest.update(f"{type(value).__name__}:{value!r};".encode())
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest.update(f"array:{value.dtype.str}{value.shape};".encode())
        digest.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif isinstance(value, Cell):
        digest.update(f"cell:{value.to_json()};".encode())
    elif isinstance(value, CellBatch):
        _update(digest, [value.adjacency, value.codes, value.operation_names])
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__name__}(".encode())
        for item in fields(value):
            # A field can be left out where it says how to do the work and not what the result is.
            if item.metadata.get("in_key", True):
                _update(digest, [item.name, getattr(value, item.name)])
        digest.update(b")")
    elif isinstance(value, dict):
        digest.update(b"{")
        for key in sorted(value):
            _update(digest, [key, value[key]])
        digest.update(b"}")
    elif isinstance(value, list | tuple):
        digest.update(b"[")
        for item in value:
            _update(digest, item)
        digest.update(b"]")
    else:
        raise TypeError(f"{type(value).__name__} has no fingerprint: pass plain values, arrays or dataclasses of them")


@cache
def source_fingerprint(module: str) -> str:
    """Return a fingerprint of a module's code and of all our code that it imports, at any depth.

    Comments, docstrings and layout do not count: what cannot change a result does not redo work.
    """
    return fingerprint({name: _normalised_source(name) for name in source_closure(module)})


@cache
def source_closure(module: str) -> tuple[str, ...]:
    """Return a module and every module of the core and of the tasks that can change its results, sorted."""
    seen, waiting = {module}, [module]
    while waiting:
        for name in _own_imports(waiting.pop()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return tuple(sorted(seen))


def _module_path(module: str) -> Path:
    """Return the source file of a module of ours, which need not exist; nothing is imported."""
    path = _ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _own_imports(module: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {
        name
        for name in names
        if name.split(".")[0] in _PACKAGES and name not in _NO_RESULT and _module_path(name).is_file()
    }


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse(_module_path(module).read_text(encoding="utf-8"))


@cache
def _normalised_source(module: str) -> str:
    tree = _parsed(module)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A text that stands alone is a docstring, of a function, a class, a module or the constant before it.
            node.body = [  # type: ignore[attr-defined]
                item for item in body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
            ]
    return ast.dump(tree)
