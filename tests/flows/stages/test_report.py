import json
import re

from flows.stages.report import METRICS_FILE, PAGE_FILE, REPORT, report
from tasks.stages.report_cells import anchor_of
from tasks.stages.results import Results


def test_every_picture_is_in_the_folder_and_on_the_page(small_search):
    names = {path.stem for path in REPORT.glob("*.png")}
    shown = {"best_cell", "pareto", "progress", "rounds", "similarity", "surface", "pairs", "encoder", "losses"}
    assert names == shown
    page = PAGE_FILE.read_text()
    assert page.count("data:image/png;base64,") == len(shown) - 1 and 'id="pareto-axes_1"' in page


def test_points_of_the_page_lead_to_drawings_of_their_cells(small_search):
    page = PAGE_FILE.read_text()
    anchors = set(re.findall(r'<figure id="(cell-\w+)"', page))
    assert anchors == {anchor_of(key) for key in Results(small_search.config).distinct.usable.key}
    assert set(re.findall(r'href="#(cell-\w+)"', page)) == anchors


def test_the_page_opens_with_the_answer_and_its_origin_and_ends_with_the_encoder(small_search):
    page = PAGE_FILE.read_text()
    words = [
        "was chosen among",
        ">data set<",
        ">seed<",
        ">time taken<",
        ">machine<",
        "The chosen cell and the baselines",
    ]
    words += ["How it was found", "Trained cells", "Appendix: the encoder", "Figure 1: differences"]
    places = [page.rindex(word) for word in words]
    assert places == sorted(places)
    assert page.count("<figcaption>") >= page.count("<figure>"), "each figure says what to see"


def test_a_page_that_is_made_again_has_the_same_bytes(small_search):
    report.fn()  # other tests may have run stages since the page was made
    page = PAGE_FILE.read_bytes()
    report.fn()
    assert PAGE_FILE.read_bytes() == page


def test_the_page_says_what_to_expect_of_the_chosen_cell(small_search):
    summary, page = Results(small_search.config).metrics("bootstrap"), PAGE_FILE.read_text()
    expected = f"{summary['expected_score']:.4f} ± {summary['expected_score_half_width']:.4f}"
    assert expected in page.replace("\N{NO-BREAK SPACE}", " ") and " +- " not in page
    assert "Finalists, trained again from other seeds" in page and "known: MobileNet" in page


def test_its_numbers_and_the_end_of_the_search_are_logged(small_search):
    metrics = json.loads(METRICS_FILE.read_text())
    assert {name.split("_")[0] for name in metrics} == {"schema", "figure1", "checksum"}
    searches = [record for record in small_search.tracking.records if record.kind == "search"]
    assert searches[-1].status == "FINISHED"
    assert {"best_score", "encoder_r_squared"} <= {name for name, _, _ in searches[-1].metrics}
