"""Notebooks are run without Jupyter, and the tour prints what it shows."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from docs_site.notebook import as_markdown, main, run

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "tour.ipynb"


def notebook_of(*cells: tuple[str, str]) -> dict:
    return {"cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in cells]}


def printed_by(notebook: dict) -> list[str]:
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return ["".join(line for output in cell["outputs"] for line in output["text"]) for cell in code]


def test_cells_run_in_order_and_keep_what_they_print():
    code = [("code", text) for text in ("a = 1\nprint(a)", "b = a + 1", "print(b)")]
    notebook = notebook_of(("markdown", "# T\n"), *code)
    run(notebook)
    assert printed_by(notebook) == ["1\n", "", "2\n"]
    assert as_markdown(notebook) == (
        "# T\n\n\n```python\na = 1\nprint(a)\n```\n\n```{ .text .output }\n1\n```\n\n```python\nb = a + 1\n```\n\n"
        "```python\nprint(b)\n```\n\n```{ .text .output }\n2\n```\n"
    )


def test_it_runs_in_a_folder_of_its_own_and_is_written_whole(tmp_path):
    source, target = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    source.write_text(json.dumps(notebook_of(("code", "import os; print(os.listdir())"))))
    main(source, target)
    assert printed_by(json.loads(target.read_text())) == ["['notebook.py']\n"]
    source.write_text(json.dumps(notebook_of(("code", "1 / 0"))))
    with pytest.raises(subprocess.CalledProcessError):
        main(source, target)
    assert printed_by(json.loads(target.read_text())) == ["['notebook.py']\n"]


def shape_of(text: str) -> str:
    """Return a text without its numbers, which differ a little between machines, and without spaces."""
    return re.sub(r"\s+", "", re.sub(r"-?\d+(\.\d*)?", "0", text))


@pytest.mark.slow
def test_the_tour_runs_and_prints_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    main(TOUR, tmp_path / "done.ipynb")
    stored, found = (json.loads(path.read_text()) for path in (TOUR, tmp_path / "done.ipynb"))
    assert list(map(shape_of, printed_by(found))) == list(map(shape_of, printed_by(stored)))
    assert any(printed_by(stored))
