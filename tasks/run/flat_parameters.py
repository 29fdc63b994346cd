"""Parameters as MLflow and tables show them: one text for each dotted name."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any


def flat_params(config: Any, prefix: str = "") -> dict[str, str]:
    """Return the fields of nested dataclasses or mappings as `section.field`: text, lists as JSON."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    flat: dict[str, str] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            flat |= flat_params(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat
