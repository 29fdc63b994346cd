"""Parameters that a run on request sets: whoever may ask for a run does not name files outside of the folder."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import PurePath
from typing import Any

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError


def check_overrides(overrides: Mapping[str, Any], config: SearchConfig) -> None:
    """Raise `ParameterError` where an override names a file or a folder outside of the current folder.

    Paths may lead out of it by links, which only its owner can make there, and by the value that `params.yaml` has.

    Args:
        overrides: values by dotted names.
        config: what `params.yaml` has now.
    """
    for name, value in overrides.items():
        present = list(_texts(_present(config, name)))
        for text in _texts(value):
            if _leads_out(text) and text not in present:
                raise ParameterError(
                    f"{name} = {text!r:.80}: a run on request takes only paths inside the folder of the search, "
                    "without '..': set others in params.yaml there, or with `nasgem search --set`"
                )


def _present(config: Any, name: str) -> Any:
    for part in name.split("."):
        config = getattr(config, part, None)
    return vars(config) if is_dataclass(config) else config


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _leads_out(text: str) -> bool:
    path = PurePath(text.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or text.startswith("~") or "://" in text
