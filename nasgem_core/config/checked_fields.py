"""Fields of parameter dataclasses: declared with their range, and checked against it when a document is read."""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any

from nasgem_core.errors import ParameterError


def bounded(
    default: Any = MISSING, *, low: float | None = None, high: float | None = None, may_be_empty: bool = False
) -> Any:
    """Declare a number, or a tuple of at least one number unless it may be empty, that must lie in [low, high]."""
    limits = {"low": -math.inf if low is None else low, "high": math.inf if high is None else high}
    metadata = {**limits, "may_be_empty": may_be_empty}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def choice(default: str, *allowed: str) -> Any:
    """Declare a word that must be one of `allowed`."""
    return field(default=default, metadata={"allowed": allowed})


def read_fields(cls: Any, document: Any, path: str = "") -> Any:
    """Return the dataclass `cls` with the values of a parsed document; `path` names its place in messages.

    Every field must be there and no other key, so a file says all that it stands for.

    Raises:
        ParameterError: a key is unknown or missing, a value is of the wrong type or out of range.
    """
    where = path or "the parameters"
    if not isinstance(document, Mapping):
        raise ParameterError(f"{where} must be a mapping of names to values, found {document!r}")
    known = {item.name: item for item in fields(cls)}
    prefix = f"{path}." if path else ""
    for key in document:
        if key not in known:
            raise ParameterError(f"unknown parameter {prefix}{key}: {where} may hold {', '.join(known)}")
    missing = [name for name in known if name not in document]
    if missing:
        raise ParameterError(f"missing parameter {prefix}{missing[0]}: add it (the profiles have every parameter)")
    hints = typing.get_type_hints(cls)
    values = {}
    for name, item in known.items():
        if is_dataclass(hints[name]):
            values[name] = read_fields(hints[name], document[name], prefix + name)
        else:
            values[name] = _checked(prefix + name, document[name], hints[name], item.metadata)
    return cls(**values)


def require_pair(name: str, pair: tuple[float, float], *, positive: bool) -> None:
    """Raise `ParameterError` unless the first value does not exceed the second, and both are positive if so asked."""
    low, high = pair
    if low > high:
        raise ParameterError(f"{name} = {list(pair)}: the first value may not exceed the second")
    if positive and low <= 0:
        raise ParameterError(f"{name} = {list(pair)}: values must be above 0")


def require_distinct(name: str, values: tuple[str, ...], what: str) -> None:
    """Raise `ParameterError` where a value stands twice."""
    if len(set(values)) != len(values):
        raise ParameterError(f"{name} = {list(values)}: each {what} may stand once")


def _checked(name: str, value: Any, kind: Any, limits: Mapping[str, Any]) -> Any:
    if isinstance(kind, types.GenericAlias):
        inner = typing.get_args(kind)
        length = None if inner[-1] is Ellipsis else len(inner)
        filled = isinstance(value, list | tuple) and (bool(value) or limits.get("may_be_empty", False))
        if not filled or (length is not None and len(value) != length):
            least = "" if limits.get("may_be_empty", False) else " with at least one value"
            wanted = f"a list of {length} values" if length else f"a list{least}"
            raise ParameterError(f"{name} = {value!r}: must be {wanted}")
        return tuple(_checked(f"{name}[{i}]", item, inner[0], limits) for i, item in enumerate(value))
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        hint = ""
        if kind is float and isinstance(value, str):
            hint = "; YAML reads 1e-3 as text, write 1.0e-3 or 0.001"
        raise ParameterError(f"{name} = {value!r}: must be of type {kind.__name__}{hint}")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise ParameterError(f"{name} = {value!r}: must lie between {limits['low']} and {limits['high']}")
    if "allowed" in limits and value not in limits["allowed"]:
        raise ParameterError(f"{name} = {value!r}: must be one of {', '.join(limits['allowed'])}")
    return value
