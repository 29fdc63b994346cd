"""What Prefect's page of a search shows of its results: tables, the chosen cell, and where the report is."""

import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.stages.report import PAGE_FILE, REPORT
from nasgem_core.config.search import SearchConfig
from nasgem_core.figures.page_parts import Table
from tasks.stages.report_answer import lead, opening
from tasks.stages.results import Results, best_cells_table
from tasks.store.artifacts import read_picture


def create_artifacts(config: SearchConfig) -> None:
    """Create the artifacts of the flow that is running, which is the one that was started."""
    results = Results(config)
    tables = [part for part in opening(results) if isinstance(part, Table)]
    for table in tables:
        key = re.sub("[^a-z0-9]+", "-", table.title.lower()).strip("-")
        create_table_artifact(_rows(table.header, table.rows), key=key, description=f"{table.title}. {table.note}")
    header, rows = best_cells_table(results.distinct)
    create_table_artifact(_rows(header, rows), key="best-cells", description="Best measured cells")
    drawing = b64encode(read_picture(REPORT / "best_cell.png")).decode()
    markdown = f"![the chosen cell](data:image/png;base64,{drawing})\n\n{_escaped(lead(results))}\n"
    create_markdown_artifact(markdown, key="best-cell", description="The chosen cell")
    page = Path(PAGE_FILE).absolute()
    create_link_artifact(
        page.as_uri(), link_text=str(page), key="report", description="The report, a file on the machine of the search"
    )


def _rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[dict[str, str]]:
    names = [name or "what" for name in header]
    return [
        {name: "-" if value is None else str(value) for name, value in zip(names, row, strict=True)} for row in rows
    ]


def _escaped(words: str) -> str:
    """Return words that Markdown shows as they are."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|" else letter for letter in words)
