"""`params.yaml`, the one place of truth for a search: read and checked, and changed without losing its comments.

The dataclasses of `nasgem_core.config` hold the defaults, a profile what differs, and `params.yaml` all values.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import ScalarNode

from nasgem_core.bundled_files import PROFILES
from nasgem_core.config.checked_fields import describe
from nasgem_core.config.search import SearchConfig, read_config, read_profile
from nasgem_core.counts import read_count
from nasgem_core.errors import ParameterError
from nasgem_core.predictors.catalogue import check_names
from tasks.store.artifacts import write_bytes

PARAMS = Path("params.yaml")
OWN_PROFILES = Path("profiles")
"""Of the current folder; a profile there takes the place of a bundled one of its name."""
_NO_YAML = (YAMLError, ValueError, RecursionError, MemoryError)
"""What ruamel.yaml raises of texts; the last three of numbers, dates and depths that Python does not hold."""
_DEEPEST = 50
"""Lists and sections inside of each other, more than any document of ours has."""
_COMMENTS = 36
"""Column of the comments."""


def load_config(path: Path = PARAMS) -> SearchConfig:
    """Read and check a params file; raises `ParameterError` naming file, field, value and what is allowed."""
    try:
        return _checked(load_yaml(path, typ="safe"))
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from None


def load_profile(path: Path) -> SearchConfig:
    """Return the defaults with the changes of a profile; raises `ParameterError` as `load_config` does."""
    try:
        return read_profile(_all_counts_read(load_yaml(path, typ="safe") or {}))
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from None


def change_parameters(changes: Mapping[str, Any]) -> bool:
    """Set dotted parameters such as {"encoder.dimension": 16} in `params.yaml`; return whether anything changed.

    Nothing is written unless the result is valid. So `params.yaml` always says what the files in `data/` come from.
    """
    return _replace(_with(changes))


def check_changes(changes: Mapping[str, Any]) -> None:
    """Raise `ParameterError` as `change_parameters` would; writes nothing."""
    _checked(YAML(typ="safe").load(_with(changes)))


def _with(changes: Mapping[str, Any]) -> bytes:
    document = load_yaml(PARAMS)
    for name, value in changes.items():
        place = document
        *sections, field = name.split(".")
        for section in sections:
            place = place.get(section) if isinstance(place, Mapping) else None
            if not isinstance(place, Mapping):
                raise ParameterError(f"unknown parameter {name}: there is no section {section}")
        if field not in place:
            raise ParameterError(f"unknown parameter {name}: known there are {', '.join(place)}")
        place[field] = _in_one_line(_counts_read(name, value))
    return _dump(document)


def restore_lists() -> bool:
    """Write the lists of `params.yaml` in one line each again, as DVC's `-S` does not; return whether it had to."""
    document = load_yaml(PARAMS)
    sections = [document, *(section for section in document.values() if isinstance(section, Mapping))]
    block = [
        (section, field)
        for section in sections
        for field, value in section.items()
        if isinstance(value, CommentedSeq) and value and not value.fa.flow_style()
    ]
    for section, field in block:
        section[field] = _in_one_line(section[field])
        if field in section.ca.items:  # the place of a comment above the first item moves the list to the right
            section.ca.items[field][3] = None
    return bool(block) and _replace(_dump(document))


def _all_counts_read(document: Any) -> Any:
    """Return sections of parameters in which texts such as 20M are read as counts."""
    if not isinstance(document, Mapping):
        return document
    return {
        section: {field: _counts_read(f"{section}.{field}", value) for field, value in values.items()}
        if isinstance(values, Mapping)
        else _counts_read(f"{section}", values)
        for section, values in document.items()
    }


def _counts_read(name: str, value: Any) -> Any:
    """Return a value for a whole number, or for several, with texts such as 20M read as counts."""
    if not _holds_counts(name):
        return value
    return [_count_read(item) for item in value] if isinstance(value, list) else _count_read(value)


def _count_read(value: Any) -> Any:
    return read_count(value) or value if isinstance(value, str) and value[-1:].isalpha() else value


@cache
def _holds_counts(name: str) -> bool:
    kind: Any = SearchConfig
    for part in name.split("."):
        kind = get_type_hints(kind).get(part) if is_dataclass(kind) else None
    return kind is int or int in get_args(kind)


def use_profile(name: str) -> bool:
    """Write all parameters of a profile to `params.yaml`; return whether anything changed."""
    return _replace(complete(profile_named(name)))


def profile_named(name: str) -> Path:
    """Return the file of a profile, bundled or in `profiles/`; raises `ParameterError` where there is none."""
    known = {path.stem: path for folder in (PROFILES, OWN_PROFILES) for path in folder.glob("*.yaml")}
    if name not in known:
        raise ParameterError(f"unknown profile {name!r}: known are {', '.join(sorted(known))}")
    return known[name]


def complete(profile: Path) -> bytes:
    """Return the content of `params.yaml` for a profile: every parameter, with its description as a comment."""
    config = load_profile(profile)
    document = _described(config, describe(SearchConfig))
    document.yaml_set_start_comment(
        f"Parameters of a search, from the profile {profile.stem}; docs/parameters.md says more about each."
    )
    return _dump(document)


def parse_value(text: str) -> Any:
    """Read a value given on the command line as YAML reads it: numbers, true, [1, 2], words.

    In YAML a number sign after a blank begins a comment. A command line has none, so it is part of the word. Nothing is
    the empty text, with which a data set is unset.
    """
    if not text.strip():
        return ""
    try:
        _require_shallow(text)
        node = YAML(typ="safe").compose(text)
        end = node.end_mark.index if node is not None else 0
        if text[end:].strip():
            if node is not None and (not isinstance(node, ScalarNode) or node.style):
                raise YAMLError("quotes, brackets or braces end before the text does")
            return text.strip()
        return YAML(typ="safe").load(text)
    except _NO_YAML:
        raise ParameterError(
            f"{text!r:.80} is not a YAML value: write a number, a word, true, or a list such as [1, 2]"
        ) from None


@contextmanager
def in_section(section: str) -> Iterator[None]:
    """Put a section's name before the field that a `ParameterError` begins with; the core knows fields alone."""
    try:
        yield
    except ParameterError as error:
        raise ParameterError(f"{section}.{error}") from None


def _checked(document: Any) -> SearchConfig:
    """Read parameters, and check the names among them that packages of the user can add to."""
    config = read_config(_all_counts_read(document))
    check_names(config.predictor.kind, config.benchmark.predictors)
    return config


def load_yaml(path: Path, typ: str = "rt") -> Any:
    """Parse a file; "rt" keeps comments for writing it back, "safe" gives plain values."""
    try:
        text = path.read_text(encoding="utf-8")
        _require_shallow(text)
        return YAML(typ=typ).load(text)
    except FileNotFoundError:
        raise ParameterError(f"{path} is missing: `nasgem init FOLDER` makes a folder that has it") from None
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    except _NO_YAML as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ParameterError(f"{path} is not valid YAML{line}: {reason:.200}; correct it, or restore it") from None


def _require_shallow(text: str) -> None:
    """Raise `YAMLError` for a text that is nested so deeply that the parser, which is in C, would crash."""
    depth = 0
    for event in YAML(typ="safe").parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise YAMLError("it is nested too deeply")


def _described(config: Any, comments: Mapping[str, str]) -> CommentedMap:
    """Return the values of a dataclass for writing, each with its comment."""
    document = CommentedMap()
    for item in fields(config):
        value, comment = getattr(config, item.name), comments[item.name]
        if is_dataclass(value):
            document[item.name] = _described(value, describe(type(value)))
            document.yaml_set_comment_before_after_key(item.name, before="\n")
            comment = str(type(value).__doc__).splitlines()[0].removesuffix(".")
        else:
            document[item.name] = _in_one_line(value)
        document.yaml_add_eol_comment(comment, item.name, column=_COMMENTS)
    return document


def _in_one_line(value: Any) -> Any:
    """Return a value for writing, where a list gets one line."""
    if not isinstance(value, list | tuple):
        return value
    sequence = CommentedSeq(value)
    sequence.fa.set_flow_style()
    return sequence


def _dump(document: Any) -> bytes:
    yaml, buffer = YAML(), io.BytesIO()
    yaml.width = 120
    yaml.dump(document, buffer)
    return buffer.getvalue()


def _replace(content: bytes) -> bool:
    """Write `params.yaml` if the content is valid and another one; return whether it was written."""
    _checked(YAML(typ="safe").load(content))
    if PARAMS.is_file() and PARAMS.read_bytes() == content:
        return False
    write_bytes(PARAMS.resolve(), content)  # a link stays one
    return True
