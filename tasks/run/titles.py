"""What runs are called in Prefect and MLflow: by their images and their profile."""

import re
from datetime import datetime
from pathlib import Path

from nasgem_core.config.search import SearchConfig
from tasks.run.parameters import PARAMS

_PROFILE = re.compile(r"^#.* from the profile ([\w-]+)")


def search_title(config: SearchConfig, root: Path = Path()) -> str:
    """Return the data set and the profile of a search, such as "cifar10_proxy laptop".

    A folder of images is called by its own name. The profile is the one that params.yaml was written from; its values
    may have been changed since.
    """
    dataset = Path(config.proxy.dataset).name or config.proxy.dataset
    return " ".join(filter(None, [dataset, _profile(root / PARAMS)]))


def dated(title: str) -> str:
    """Return a title with the time of day, by which runs of one search differ."""
    return f"{title}, {datetime.now().strftime('%Y-%m-%d %H:%M')}"


def _profile(params: Path) -> str:
    try:
        with params.open(encoding="utf-8") as file:
            found = _PROFILE.match(file.readline())
    except (OSError, UnicodeDecodeError):
        return ""
    return found[1] if found else ""
