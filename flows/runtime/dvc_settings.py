"""DVC's settings of one place, which name the private folder of its cache by a full path."""

import os
import re
from pathlib import Path

from nasgem_core.files import content_of, written_whole

LOCAL_SETTINGS = Path(".dvc") / "config.local"
_CACHE = re.compile(rb"^([ \t]*site_cache_dir[ \t]*=[ \t]*)(\S.*/\.nasgem/dvc)[\"']?[ \t]*$", re.MULTILINE)


def name_own_cache(state: Path) -> None:
    """Name the cache of this folder where the settings name that of another one, as after a move and in a copy.

    At the old place a `dvc` that is typed here would make it again, for everybody to write into.

    Args:
        state: the state folder of the current folder.

    Raises:
        OSError: the settings are there and cannot be read or written.
    """
    try:
        before = content_of(LOCAL_SETTINGS)
    except FileNotFoundError:
        return
    own = os.fsencode(state.absolute() / "dvc")
    after = _CACHE.sub(lambda line: line[0] if _same(line[2], own) else line[1] + own, before)
    if after != before:
        mode = LOCAL_SETTINGS.stat().st_mode
        with written_whole(LOCAL_SETTINGS) as file:
            os.fchmod(file.fileno(), mode)  # it may hold passwords of DVC's remotes
            file.write(after)


def _same(named: bytes, own: bytes) -> bool:
    return os.path.realpath(named.lstrip(b"\"'")) == os.path.realpath(own)
