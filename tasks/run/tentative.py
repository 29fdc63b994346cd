"""What a command changes in `params.yaml` first, and takes back where the command is refused."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nasgem_core.errors import ParameterError
from tasks.run.parameters import PARAMS, change_parameters, load_config, use_profile
from tasks.run.progress import say
from tasks.store.artifacts import write_bytes


@contextmanager
def tentative_changes(
    profile: str | None, changes: Mapping[str, Any], refusals: tuple[type[BaseException], ...] = ()
) -> Iterator[Callable[[], None]]:
    """Change `params.yaml` for a block, and put it back if the block fails before it calls what it is given.

    The block calls it when everything that can be checked beforehand is right and work begins; then the changes stay,
    and are reported. A profile names data sets too; folders of the user that it takes out of the file are reported.

    Args:
        profile: name of a profile to write first, if any.
        changes: values by dotted names.
        refusals: errors that take the changes back even later.

    Raises:
        ParameterError: the changes are wrong; nothing was written.
    """
    before = PARAMS.read_bytes() if PARAMS.is_file() else None
    images = _own_images() if profile else {}
    words = [f"params.yaml is now the {profile} profile"] if profile and use_profile(profile) else []
    accepted = False

    def accept() -> None:
        nonlocal accepted
        accepted = True
        for line in words:
            say(line)

    try:
        if changes and change_parameters(changes):
            words.append(f"params.yaml: set {', '.join(changes)}")
        load_config()
        now = _own_images()
        left_out = [f"--set {name}={shlex.quote(folder)}" for name, folder in images.items() if name not in now]
        if left_out:
            words.append(
                f"profile {profile} does not read your images; to search on them with it, add {' '.join(left_out)}"
            )
        yield accept
    except BaseException as error:
        if words and (not accepted or isinstance(error, refusals)):
            _put_back(before)
            say("params.yaml is as it was before this command")
        raise


def _own_images() -> dict[str, str]:
    """Return the folders of images that `params.yaml` names, by parameter; none where it is missing or wrong."""
    try:
        config = load_config()
    except ParameterError:
        return {}
    read = {section: getattr(config, section).dataset for section in ("proxy", "imagenet", "coco")}
    return {f"{section}.dataset": folder for section, folder in read.items() if folder and Path(folder).is_dir()}


def _put_back(before: bytes | None) -> None:
    if before is None:
        PARAMS.unlink(missing_ok=True)
    else:
        write_bytes(PARAMS.resolve(), before)  # a link stays one
