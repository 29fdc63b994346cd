"""Arrays of a benchmark's own file: read without running code, and checked before anything is made of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nasgem_core.errors import DataError


def read_arrays(path: Path, what: str, names: Sequence[str], starts: str = "") -> dict[str, np.ndarray]:
    """Return arrays of an npz file by their names.

    Args:
        path: the file.
        what: it is to be, for messages, such as "an npz file of NAS-Bench-101".
        names: of the arrays that must be there.
        starts: read all arrays whose names begin so, too; "" for none.

    Raises:
        DataError: the file is missing, truncated, altered, not an npz file, lacks an array, or holds objects or more
            than fits into memory.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            more = [name for name in archive.files if starts and name.startswith(starts)]
            return {name: archive[name] for name in (*names, *more)}
    except MemoryError:
        reason = "an array is larger than the memory"
    except (TypeError, AttributeError):
        reason = "it holds a single array"
    except Exception as error:  # NumPy and zipfile let out whatever a damaged file makes of them
        reason = str(error) or type(error).__name__
    raise DataError(f"{path} is not {what}: {reason}")


def require_kind(place: str, array: np.ndarray, kinds: str) -> None:
    """Raise `DataError` unless an array is of one of some kinds, by NumPy's letters; others would be converted."""
    if array.dtype.kind not in kinds:
        wanted = " or ".join(dict.fromkeys(_KINDS[kind] for kind in kinds))
        raise DataError(f"{place} holds values of type {array.dtype.name}, not {wanted}")


_KINDS = {"i": "whole numbers", "u": "whole numbers", "b": "whole numbers", "f": "numbers", "U": "text", "S": "text"}


def require_accuracies(place: str, values: np.ndarray, most: int) -> None:
    """Raise `DataError` unless all values are between 0 and `most`: 1 for fractions, 100 for per cent.

    Args:
        place: file and name, for messages.
        values: [B].
        most: the largest possible accuracy.
    """
    require_kind(place, values, "iuf")
    unit = " %" if most == 100 else ""
    wrong = np.flatnonzero(~((values >= 0) & (values <= most)))
    if len(wrong):
        row, value = wrong[0] + 1, values[wrong[0]]
        raise DataError(f"{place} is {value}, not between 0 and {most}{unit}, in row {row}: correct it")
    if most == 100 and values.size and values.max() <= 1:
        raise DataError(f"{place} is at most {values.max():g} %: these are fractions, it seems; multiply them by 100")
