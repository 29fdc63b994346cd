"""Parameters that a run on request sets: for that run only, and without files outside of the folder.

They are written to params.yaml, because that file says what the results in `data/` come from, and what it held before
is kept. The next search takes it back first, unless somebody has edited the file since.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path, PurePath
from typing import Any

from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.files import content_of
from nasgem_core.json_text import parse_json
from tasks.run.parameters import PARAMS, change_parameters, load_config
from tasks.store.artifacts import write_bytes

_OWN = Path(".nasgem") / "overridden.json"
"""What params.yaml held before a run on request, what that run made of it, and the names that it set."""


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


def set_for_this_run(overrides: Mapping[str, Any]) -> None:
    """Set parameters in params.yaml for one run; raises `ParameterError` as `check_overrides` and for a wrong value."""
    check_overrides(overrides, load_config())
    own = PARAMS.read_text(encoding="utf-8")
    if change_parameters(overrides):
        entry = {"own": own, "written": PARAMS.read_text(encoding="utf-8"), "names": sorted(overrides)}
        write_bytes(_OWN, json.dumps(entry).encode())


def take_back() -> str:
    """Give params.yaml what it held before a run on request; return what was done in a sentence, nothing if nothing."""
    try:
        entry = parse_json(content_of(_OWN))
        own, written, names = entry["own"].encode(), entry["written"], ", ".join(entry["names"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return ""
    remark = f"params.yaml keeps {names} of a run on request, because the file was edited since"
    if PARAMS.read_text(encoding="utf-8") == written:
        write_bytes(PARAMS.resolve(), own)
        remark = f"params.yaml is as it was before a run on request, which had set {names}"
    _OWN.unlink()
    return remark


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
