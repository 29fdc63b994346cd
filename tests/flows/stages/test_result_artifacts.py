"""What Prefect's page of a search shows of its results."""

import pytest

from flows.stages import result_artifacts as module
from flows.stages.report import REPORT
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.training import draw_training
from tasks.store.artifacts import write_bytes
from tests.tasks.made_up_search import KEYS, write_made_up_search


def test_a_run_has_tables_the_chosen_cell_and_a_link_to_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results, made = write_made_up_search(), {}
    for kind in ("table", "markdown", "link"):
        name = f"create_{kind}_artifact"
        monkeypatch.setattr(module, name, lambda content, key, **more: made.update({key: (content, more)}))
    write_bytes(REPORT / "best_cell.png", figure_png(draw_training({}, "nothing"), dpi=20))
    module.create_artifacts(results.config)
    assert list(made) == ["the-chosen-cell-and-the-baselines", "best-cells", "best-cell", "report"]
    rows = made["the-chosen-cell-and-the-baselines"][0]
    assert rows[0]["what"] == "the chosen cell" and rows[0]["cell"] == KEYS[0][:8]
    assert len(made["best-cells"][0]) == 4
    assert made["best-cell"][0].startswith("![the chosen cell](data:image/png;base64,")
    address, more = made["report"]
    assert address == (tmp_path / "data/report/report.html").as_uri() and more["link_text"].endswith("report.html")


@pytest.mark.parametrize("words", ["a_b", "<script>", "[x](y)", "# no"])
def test_words_are_not_markdown(words):
    escaped = module._escaped(words)
    assert escaped != words and escaped.replace("\\", "") == words
