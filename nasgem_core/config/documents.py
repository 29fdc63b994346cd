"""Documents, parsed from YAML or JSON, are read into dataclasses: every field is checked, and a wrong one is named."""

import json
import math
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from nasgem_core.checksums import without_checksum
from nasgem_core.errors import DataError, NasgemError, ParameterError
from nasgem_core.json_text import parse_json


@dataclass(frozen=True)
class DocumentKind:
    """A kind of JSON document.

    Args:
        what: what it is, with an article, such as "a cell".
        schema: its name and version, which its field `schema` holds.
        remedy: what to do about a damaged one; "" where the message of the error is enough.
        error: the class of the errors.
    """

    what: str
    schema: str
    remedy: str = ""
    error: type[NasgemError] = DataError

    def parse(self, text: str | bytes) -> Any:
        """Return the document in a text; raises `error` where the text is not JSON or its checksum does not match."""
        try:
            parsed = parse_json(text)
        except ValueError as error:
            raise self.refusal(f"not valid JSON ({error})") from None
        try:
            return without_checksum(parsed)[0]
        except ValueError as error:
            raise self.refusal(f"it was changed or damaged: {error}") from None

    def fields_of(self, document: Any) -> dict[str, Any]:
        """Return everything but `schema`; raises `error` where the document is of another kind."""
        found = document.get("schema") if isinstance(document, Mapping) else type(document).__name__
        if not isinstance(document, Mapping) or found != self.schema:
            raise self.refusal(f"field 'schema' must be {self.schema!r}, found {shown(found)}")
        return {name: value for name, value in document.items() if name != "schema"}

    def read(self, cls: Any, values: Any) -> Any:
        """Return the dataclass `cls` with the values that `fields_of` gave; raises `error` naming the wrong one."""
        try:
            return read_fields(cls, values)
        except NasgemError as error:
            raise self.refusal(str(error)) from None

    def refusal(self, reason: str) -> NasgemError:
        """Return the error that says why a document is not of this kind, and what to do."""
        return self.error("; ".join(filter(None, (f"not {self.what}: {reason}", self.remedy))))


def shown(value: Any) -> str:
    """Return a value for messages, shortened: a document may hold a number of thousands of digits, or a deep list."""
    try:
        return f"{value!r:.80}"
    except (RecursionError, ValueError):
        return f"a value of type {type(value).__name__}"


def read_fields(cls: Any, document: Any, path: str = "", *, base: Any = None, name_defaults: bool = False) -> Any:
    """Return the dataclass `cls` with the values of a parsed document.

    Every field must be there and no other key, so a document says everything that it stands for.

    Args:
        cls: the dataclass. Its fields may be plain values, tuples, mappings, unions, dataclasses of these, and classes
            with a method `from_dict`, which then reads the value.
        document: mappings, lists and plain values.
        path: place of the document in a larger one, for messages.
        base: an instance whose values stand for fields that the document does not have; without it they are missing.
        name_defaults: whether the message of a missing field gives the default.

    Raises:
        ParameterError: a key is unknown or missing, a value is of the wrong type or out of range.
    """
    if not isinstance(document, Mapping):
        raise ParameterError(f"{path or 'the document'} must be a mapping of names to values, found {shown(document)}")
    known = {item.name: item for item in fields(cls)}
    prefix = f"{path}." if path else ""
    for key in document:
        if key not in known:
            raise ParameterError(f"{prefix}{key!s:.80} is unknown: known are {', '.join(known)}")
    values = {}
    for name, item in known.items():
        given = None if base is None else getattr(base, name)
        kind = _types_of(cls)[name]
        if name not in document:
            if base is None and not item.metadata.get("optional"):
                raise ParameterError(f"{prefix}{name} is missing{_addition(item) if name_defaults else ''}")
            values[name] = item.default if base is None else given
        elif is_dataclass(kind) and not hasattr(kind, "from_dict"):
            place = prefix + name
            values[name] = read_fields(kind, document[name], place, base=given, name_defaults=name_defaults)
        else:
            values[name] = _checked(prefix + name, document[name], kind, item.metadata)
    return cls(**values)


@cache
def _types_of(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _addition(item: Field[Any]) -> str:
    """Return how to add a field that is missing."""
    default = item.default if item.default_factory is MISSING else item.default_factory()
    if is_dataclass(default):
        return f": add the section {item.name} with {', '.join(part.name for part in fields(default))}"
    return "" if default is MISSING else f": add its default, `{item.name}: {json.dumps(default)}`"


def _checked(name: str, value: Any, kind: Any, limits: Mapping[str, Any]) -> Any:
    """Return a value as its field holds it; raises `ParameterError` where it is not of that type or out of range."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if hasattr(kind, "from_dict"):
        return kind.from_dict(value)
    if is_dataclass(kind):
        return read_fields(kind, value, name)
    if origin is tuple:
        if limits.get("or_single") and not isinstance(value, list | tuple):
            value = [value]
        _require_list(name, value, None if inner[-1] is Ellipsis else len(inner), limits.get("may_be_empty", False))
        return tuple(_checked(f"{name}[{i}]", item, inner[0], limits) for i, item in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise ParameterError(f"{name} = {shown(value)}: must be a mapping of names to values")
        return {key: _checked(f"{name}.{key}", item, inner[1], limits) for key, item in value.items()}
    return _checked_plain(name, value, inner or (kind,), limits)


def _require_list(name: str, value: Any, length: int | None, may_be_empty: bool) -> None:
    filled = isinstance(value, list | tuple) and (bool(value) or may_be_empty)
    if not filled or (length is not None and len(value) != length):
        least = "" if may_be_empty else " with at least one value"
        wanted = f"a list of {length} values" if length else f"a list{least}"
        raise ParameterError(f"{name} = {shown(value)}: must be {wanted}")


def _checked_plain(name: str, value: Any, kinds: tuple[Any, ...], limits: Mapping[str, Any]) -> Any:
    if kinds == (float,) and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise ParameterError(f"{name} = {shown(value)}: must be a finite number") from None
    if type(value) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ParameterError(f"{name} = {shown(value)}: must be of type {wanted}")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        low, high = limits["low"], limits["high"]
        wanted = f"be at least {low}" if high == math.inf else f"lie between {low} and {high}"
        raise ParameterError(f"{name} = {shown(value)}: must {wanted}")
    if "allowed" in limits and value not in limits["allowed"]:
        raise ParameterError(f"{name} = {shown(value)}: must be one of {', '.join(limits['allowed'])}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{name} = {value}: must be a finite number")
    return value
