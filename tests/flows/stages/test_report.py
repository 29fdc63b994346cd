import json

from flows.stages.report import METRICS_FILE, PAGE_FILE, REPORT
from tasks.stages.results import Results


def test_every_picture_is_in_the_folder_and_on_the_page(small_search):
    names = {path.stem for path in REPORT.glob("*.png")}
    shown = {"best_cell", "pareto", "progress", "rounds", "similarity", "surface", "pairs", "encoder", "losses"}
    assert names == shown
    assert PAGE_FILE.read_text().count("data:image/png;base64,") == len(shown)


def test_the_page_says_what_to_expect_of_the_chosen_cell(small_search):
    summary, page = Results(small_search.config).metrics("bootstrap"), PAGE_FILE.read_text()
    assert f"{summary['expected_score']:.4f} +- {summary['expected_score_half_width']:.4f}" in page
    assert "Finalists, trained again from other seeds" in page and "known: MobileNet" in page


def test_its_numbers_and_the_end_of_the_search_are_logged(small_search):
    metrics = json.loads(METRICS_FILE.read_text())
    assert {name.split("_")[0] for name in metrics} == {"schema", "figure1", "checksum"}
    searches = [record for record in small_search.tracking.records if record.kind == "search"]
    assert searches[-1].status == "FINISHED"
    assert {"best_score", "encoder_r_squared"} <= {name for name, _, _ in searches[-1].metrics}
