"""Fields of dataclasses that are read from documents: each declared once, with its default, range and description."""

import ast
import inspect
import math
import textwrap
from dataclasses import MISSING, field, fields
from itertools import pairwise
from typing import Any

from nasgem_core.errors import ParameterError


def bounded(
    default: Any = MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    may_be_empty: bool = False,
    or_single: bool = False,
    in_key: bool = True,
) -> Any:
    """Declare a number, or a tuple of at least one number unless it may be empty, that must be in [low, high].

    With `or_single` a document may hold a single number in place of a tuple of it. Without `in_key` the value is not
    part of the key of a cached task, because another part of the key changes with it.
    """
    limits = {"low": -math.inf if low is None else low, "high": math.inf if high is None else high}
    metadata = {**limits, "may_be_empty": may_be_empty, "or_single": or_single, "in_key": in_key}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def choice(default: str, *allowed: str) -> Any:
    """Declare a word that must be one of `allowed`."""
    return field(default=default, metadata={"allowed": allowed})


def optional(default: Any) -> Any:
    """Declare a field that a document need not have."""
    return field(default=default, metadata={"optional": True})


def as_in(owner: Any, name: str, default: Any = MISSING) -> Any:
    """Declare a field with the range and description that it has in another class, and with that class's default.

    Args:
        owner: the dataclass that declares the field.
        name: name of the field in both classes.
        default: a default of its own instead.
    """
    item = next(item for item in fields(owner) if item.name == name)
    metadata = {**item.metadata, "as_in": owner}
    return field(default=item.default if default is MISSING else default, metadata=metadata)


def describe(cls: Any) -> dict[str, str]:
    """Return the description of each field: the first line of the docstring below it, without the full stop."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    own = {
        ast.unparse(item.target): str(text.value.value).splitlines()[0].removesuffix(".")
        for item, text in pairwise(body.body)
        if isinstance(item, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    owners = {item.name: item.metadata.get("as_in") for item in fields(cls)}
    return {name: own.get(name) or (describe(owner)[name] if owner else "") for name, owner in owners.items()}


def require_pair(name: str, pair: tuple[float, float], *, positive: bool) -> None:
    """Raise `ParameterError` unless the first value does not exceed the second, and both are positive if so asked."""
    low, high = pair
    if low > high:
        raise ParameterError(f"{name} = {list(pair)}: the first value may not exceed the second")
    if positive and low <= 0:
        raise ParameterError(f"{name} = {list(pair)}: values must be above 0")


def require_order(name: str, value: float, limit_name: str, limit: float) -> None:
    """Raise `ParameterError` where a value exceeds another one."""
    if value > limit:
        raise ParameterError(f"{name} = {value}: must not exceed {limit_name} = {limit}")


def require_distinct(name: str, values: tuple[str, ...], what: str) -> None:
    """Raise `ParameterError` where a value occurs twice."""
    if len(set(values)) != len(values):
        raise ParameterError(f"{name} = {list(values)}: name each {what} once")
