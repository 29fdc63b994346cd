"""`params.yaml`, the one place of truth for a search: read and checked, and changed without losing its comments."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from nasgem_core.config.search import SearchConfig, read_config
from nasgem_core.errors import ParameterError
from tasks.store.artifacts import write_bytes

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")


def load_config(path: Path = PARAMS) -> SearchConfig:
    """Read and check a params file; raises `ParameterError` naming file, field, value and what is allowed."""
    try:
        return read_config(_load(path, typ="safe"))
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from None


def change_parameters(changes: Mapping[str, Any]) -> bool:
    """Set dotted parameters such as {"encoder.dimension": 16} in `params.yaml`; return whether anything changed.

    Nothing is written unless the result is valid. So `params.yaml` always says what the files in `data/` come from.
    """
    document = _load(PARAMS)
    for name, value in changes.items():
        place = document
        *sections, field = name.split(".")
        for section in sections:
            place = place.get(section) if isinstance(place, Mapping) else None
            if not isinstance(place, Mapping):
                raise ParameterError(f"unknown parameter {name}: there is no section {section}")
        if field not in place:
            raise ParameterError(f"unknown parameter {name}: known there are {', '.join(place)}")
        place[field] = _flow_style(value)
    return _replace(document)


def use_profile(name: str) -> bool:
    """Make `params.yaml` a copy of `profiles/<name>.yaml`; return whether anything changed."""
    known = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    if name not in known:
        raise ParameterError(f"unknown profile {name!r}: known are {', '.join(known)}")
    return _replace(_load(PROFILES / f"{name}.yaml"))


def parse_value(text: str) -> Any:
    """Read a value given on the command line as YAML reads it: numbers, true, [1, 2], words."""
    try:
        return YAML(typ="safe").load(text)
    except YAMLError:
        raise ParameterError(
            f"{text!r} is no YAML value: write a number, a word, true, or a list such as [1, 2]"
        ) from None


@contextmanager
def in_section(section: str) -> Iterator[None]:
    """Put a section's name before the field that a `ParameterError` begins with; the core knows fields alone."""
    try:
        yield
    except ParameterError as error:
        raise ParameterError(f"{section}.{error}") from None


def _load(path: Path, typ: str = "rt") -> Any:
    """Parse a file; "rt" keeps comments for writing it back, "safe" gives plain values."""
    try:
        return YAML(typ=typ).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError(f"{path} is missing: run nasgem in the repository's folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise ParameterError(f"{path} is no valid YAML{line}: {getattr(error, 'problem', None) or error}") from None


def _flow_style(value: Any) -> Any:
    """Return a list in the form that is written in one line, as it stands in the profiles."""
    if not isinstance(value, list):
        return value
    sequence = CommentedSeq(value)
    sequence.fa.set_flow_style()
    return sequence


def _replace(document: Any) -> bool:
    """Write `params.yaml` if the document is valid and not what it holds already; return whether it was written."""
    yaml = YAML()
    yaml.width = 120
    buffer = io.BytesIO()
    yaml.dump(document, buffer)
    read_config(YAML(typ="safe").load(buffer.getvalue()))
    if PARAMS.is_file() and PARAMS.read_bytes() == buffer.getvalue():
        return False
    write_bytes(PARAMS, buffer.getvalue())
    return True
