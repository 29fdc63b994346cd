"""Bringing tables of measured cells into `data/tables`: benchmarks' own files, and users' tables."""

from dataclasses import replace
from pathlib import Path

from nasgem_core.benchmarks.catalogue import benchmark_of
from nasgem_core.benchmarks.duplicates import REFUSE, Joined
from nasgem_core.benchmarks.rows import Columns, read_rows
from nasgem_core.benchmarks.table import is_table, read_table, write_table
from nasgem_core.bundled_files import TABLES
from nasgem_core.errors import DataError, ParameterError
from tasks.benchmark.tables import table_path


def import_table(
    name: str,
    source: Path | None = None,
    label: str | None = None,
    truth: str | None = None,
    *,
    edges: bool = False,
    duplicates: str | None = None,
) -> Joined:
    """Read a benchmark's own file, or a user's table, and write it into `data/tables`.

    Args:
        name: that of a published table, such as `nasbench101`, which has its own file; or any other name for a table
            that nasgem has written, such as NASGEM-Bench, or for a .parquet or .csv table with a column of cells.
        source: the file; by default the one of that name that comes with the package.
        label: of a user's table, the metric that a search may observe; a table that nasgem has written has one.
        truth: the metric that rankings are judged by; by default the label where that is given.
        edges: of a user's table, whether its cells have their operations on edges.
        duplicates: of a user's table, `mean` for the mean of isomorphic cells that disagree, which are refused else.

    Raises:
        ParameterError: an option does not belong to this table, or a user's table lacks its label.
        DataError: the file cannot be read as such a table, or the result cannot be written.
    """
    path, readers = table_path(name), benchmark_of(name).readers
    source = source or _bundled(name)
    written = not readers and source.is_file() and is_table(source)
    if (readers or written) and (edges or duplicates):
        raise ParameterError(f"{source} holds distinct cells already: leave out --edges and --duplicates")
    if readers:
        if label or truth:
            raise ParameterError(f"{name} has its own label and truth: leave out --label and --truth")
        if source.suffix not in readers:
            raise DataError(f"{source}: {name} is imported from a {' or '.join(readers)} file")
        space = readers[source.suffix](source)
        found = Joined(space, len(space), 0)
    elif not source.is_file():
        raise DataError(f"there is no file {source}: name a .parquet or .csv table of cells")
    elif written:
        space = read_table(source)
        space = replace(space, name=name, label=label or space.label, truth=truth or label or space.truth)
        found = Joined(space, len(space), 0)
    elif label is None:
        raise ParameterError(f"table {name!r}: say with --label which column of {source} is the observed metric")
    else:
        columns = Columns(label, truth or label, edges=edges, duplicates=duplicates or REFUSE)
        found = read_rows(source, name, columns)
    if not found.rows:
        raise DataError(f"{source} has no cells: name the file of a table with cells")
    write_table(found.table, path)
    return found


def _bundled(name: str) -> Path:
    known = {path.stem: path for path in TABLES.glob("*.parquet")}
    if name not in known:
        raise ParameterError(
            f"table {name!r} does not come with nasgem, as {', '.join(sorted(known))} does: name its file"
        )
    return known[name]
