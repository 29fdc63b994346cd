import json

from flows.stages.report import METRICS_FILE, PAGE_FILE, REPORT


def test_every_picture_is_in_the_folder_and_on_the_page(small_search):
    names = {path.stem for path in REPORT.glob("*.png")}
    shown = {"best_cell", "pareto", "progress", "rounds", "similarity", "surface", "pairs", "encoder", "losses"}
    assert names == shown
    assert PAGE_FILE.read_text().count("data:image/png;base64,") == len(shown)


def test_its_numbers_and_the_end_of_the_search_are_logged(small_search):
    metrics = json.loads(METRICS_FILE.read_text())
    assert {name.split("_")[0] for name in metrics} == {"schema", "figure1"}
    searches = [record for record in small_search.tracking.records if record.kind == "search"]
    assert searches[-1].status == "FINISHED"
    assert {"best_score", "encoder_r_squared"} <= {name for name, _, _ in searches[-1].metrics}
