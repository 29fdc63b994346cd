"""Fingerprints: of values, the same in every process, and of the source code that a result depends on."""

import ast
import hashlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import SCHEMA, Cell
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.config.search import CellsConfig
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.registry import Registry

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("nasgem_core", "tasks")
_NO_RESULT = {
    # Their values reach a key as inputs, or they only say how work is stored, shown or placed.
    "nasgem_core.benchmarks.catalogue",
    "nasgem_core.bundled_files",
    "nasgem_core.checksums",
    "nasgem_core.config.checked_fields",
    "nasgem_core.config.documents",
    "nasgem_core.config.score",
    "nasgem_core.config.search",
    "nasgem_core.config.studies",
    "nasgem_core.errors",
    "nasgem_core.files",
    "nasgem_core.predictors.catalogue",
    "nasgem_core.registry",
    "nasgem_core.config.transfer",
    "tasks.stages.sent_folder",
    "tasks.stages.sent_images",
    "tasks.store.artifacts",
    "tasks.store.caching",
    "tasks.store.copying",
    "tasks.store.fingerprint",
    "tasks.run.documents",
    "tasks.run.masking",
    "tasks.run.parameters",
    "tasks.run.placement",
    "tasks.run.progress",
    "tasks.store.mirror",
    "tasks.store.object_store",
    "tasks.store.record_folder",
    "tasks.store.serialization",
    "tasks.store.unkept_record",
}


def fingerprint(value: Any) -> str:
    """Return 40 hexadecimal digits that are equal for equal plain values, arrays, cells and dataclasses of these.

    Cells, their documents and search spaces count with the source of the operations that they use, and of no other.
    """
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
        _update(digest, _operation_sources(value.operations))
    elif isinstance(value, CellBatch):
        places = np.unique(value.codes[value.codes >= FIRST_OPERATION_CODE]) - FIRST_OPERATION_CODE
        used = [value.operation_names[place] for place in places]
        _update(digest, [value.adjacency, value.codes, value.operation_names, _operation_sources(used)])
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__name__}(".encode())
        for item in fields(value):
            # A field can be left out where it says how to do the work and not what the result is.
            if item.metadata.get("in_key", True):
                _update(digest, [item.name, getattr(value, item.name)])
        if isinstance(value, CellsConfig):
            _update(digest, _operation_sources(value.operations))
        digest.update(b")")
    elif isinstance(value, dict):
        digest.update(b"{")
        for key in sorted(value):
            _update(digest, [key, value[key]])
        if value.get("schema") == SCHEMA:
            _update(digest, _operation_sources(value.get("operations", ())))
        digest.update(b"}")
    elif isinstance(value, list | tuple):
        digest.update(b"[")
        for item in value:
            _update(digest, item)
        digest.update(b"]")
    else:
        raise TypeError(f"{type(value).__name__} has no fingerprint: pass plain values, arrays or dataclasses of them")


def registered_source(registry: Registry[Any], name: str) -> str:
    """Return a fingerprint of the source of a registered thing, ours or a plug-in's.

    Nothing imports such a thing, it is found by its name: a cached task whose result depends on it takes this as an
    input. What was added in this process counts by the source of its functions and classes.

    Raises:
        NasgemError: there is no such thing, or two packages give one of that name.
    """
    module = registry.module_of(name)
    return _added_source(registry.get(name)) if module is None else source_fingerprint(module)


def _added_source(thing: Any) -> str:
    parts = [thing] if callable(thing) else [value for value in vars(thing).values() if callable(value)]
    return fingerprint([_source_or_name(part) for part in parts])


@cache
def _source_or_name(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):  # typed in at a prompt, or compiled
        return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def _operation_sources(names: Iterable[str]) -> list[str]:
    """Return a fingerprint for each operation, sorted by name: those of measured tables have no source."""
    known = [name for name in sorted(set(names)) if name in OPERATIONS]
    return [registered_source(OPERATIONS, name) for name in known]


@cache
def source_fingerprint(module: str) -> str:
    """Return a fingerprint of a module's code and of all code of ours that it imports, at any depth.

    The module is ours or a plug-in's; what a plug-in imports of its own package counts too. Comments, docstrings and
    layout do not count: what cannot change a result does not redo work.
    """
    return fingerprint({name: _normalised_source(name) for name in source_closure(module)})


@cache
def source_closure(module: str) -> tuple[str, ...]:
    """Return a module and every module that can change its results: of its package, the core and the tasks, sorted."""
    seen, waiting = {module}, [module]
    while waiting:
        for name in _followed_imports(waiting.pop()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return tuple(sorted(seen))


@cache
def _followed_imports(module: str) -> frozenset[str]:
    package = module.partition(".")[0]
    names = set(_imports(module))
    if package not in _PACKAGES:  # ours have packages that hold a docstring only
        parts = module.split(".")
        names |= {".".join(parts[:depth]) for depth in range(1, len(parts))}
    return frozenset(
        name
        for name in names
        if name.partition(".")[0] in (package, *_PACKAGES) and name not in _NO_RESULT and _module_path(name).is_file()
    )


def _imports(module: str) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, inside functions too."""
    depth = len(module.split(".")) - (_module_path(module).name != "__init__.py")
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: depth - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _module_path(module: str) -> Path:
    """Return the source file of a module, which need not exist; nothing is imported."""
    package, *rest = module.split(".")
    path = _package_path(package).joinpath(*rest)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _package_path(package: str) -> Path:
    """Return the folder of a package, or where the file of a single module is."""
    if package in _PACKAGES:
        return _ROOT / package
    spec = find_spec(package)
    if spec is None or (spec.origin is None and not spec.submodule_search_locations):
        return _ROOT / package  # there is no such file, which whoever asks for the thing reports
    return Path(spec.submodule_search_locations[0] if spec.submodule_search_locations else str(spec.origin))


@cache
def _parsed(module: str) -> ast.Module:
    path = _module_path(module)
    # A compiled module, or one that is not there, counts by its name.
    return ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")


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
