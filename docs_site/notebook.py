"""Notebooks without Jupyter: run from top to bottom, and shown as a page of the site.

After a change of docs/tour.ipynb, run `python -m docs_site.notebook docs/tour.ipynb` to store what its cells print.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nasgem_core.files import written_whole

_BETWEEN = "\x1e"
"""What separates the outputs of two cells: the record separator, which no cell prints."""


def run(notebook: dict[str, Any]) -> None:
    """Run the code cells in order in one new process, in an empty folder, and store what each prints in it.

    Raises:
        subprocess.CalledProcessError: a cell has failed; its traceback is on the terminal.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    script = f"\nprint({_BETWEEN!r}, end='', flush=True)\n".join("".join(cell["source"]) for cell in code)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "notebook.py").write_text(script, encoding="utf-8")
        command = [sys.executable, "notebook.py"]
        printed = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    for number, (cell, text) in enumerate(zip(code, printed.split(_BETWEEN), strict=True), start=1):
        lines = text.splitlines(keepends=True)
        cell["execution_count"] = number
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []


def as_markdown(notebook: dict[str, Any]) -> str:
    """Return a notebook as the text of a page: its code, and below each cell what it has printed."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [f"```{{ .text .output }}\n{''.join(output['text'])}```" for output in cell.get("outputs", ())]
    return "\n\n".join(parts) + "\n"


def main(source: Path, target: Path) -> None:
    """Run a notebook, and write it with what it has printed."""
    notebook = json.loads(source.read_text(encoding="utf-8"))
    run(notebook)
    with written_whole(target) as file:
        file.write((json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[-1]))
