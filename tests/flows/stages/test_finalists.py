"""The comparison of finalists after a small search: what is trained, chosen, logged, and what others see of it."""

import json
import shutil
from dataclasses import replace

import pytest

from flows.cli import show
from flows.cli.printing import out
from flows.stages import finalists as module
from flows.stages.finalists import finalists
from nasgem_core.config.transfer import FinalistsConfig, GemnetConfig
from nasgem_core.errors import ParameterError
from tasks.stages.best_cell import FINALIST_FILE, best_cell_file, read_best_cell, read_searched_cell
from tasks.stages.finalists_results import METRICS_FILE, read_finalists
from tasks.stages.results import Results
from tasks.stages.trained import KNOWN
from tests.flows.conftest import small_session
from tests.tasks.classifiers import SMALL
from tests.training.folders import write_images

STAGE = ("nasgem", "stage", "finalists")
BEST_AND_BUILT = ("finalists/best_cell.json", "gemnet/gemnet_a.json")


@pytest.fixture
def search(small_search_done, tmp_path):
    """Work in a copy of the small search, with images and a network of the target."""
    root = shutil.copytree(small_search_done.root, tmp_path / "search")
    write_images(root / "pictures", train=8, val=3)
    with small_session(root) as search:
        search.session.config = replace(
            search.config,
            finalists=FinalistsConfig(cells=5, rungs=(1, 2, 3)),
            gemnet=GemnetConfig(skeleton="mobile"),
            imagenet=replace(SMALL, dataset="pictures", image_size=32, macs=(4_000_000,), tuning_share=0.25),
        )
        yield search


class Judge:
    """Stands for the workers: the later a finalist is among those of the proxy, the better it is."""

    def __init__(self):
        self.asked, self.names = [], []

    def __call__(self, _, task, inputs, on_result):
        self.asked.append([values["until"] for values in inputs])
        for place in reversed(range(len(inputs))):
            name, until = inputs[place]["training"].spec.name, inputs[place]["until"]
            if name not in self.names:
                self.names.append(name)
            rows = [{"epoch": epoch, "step": epoch, "top1": 0.1 * epoch} for epoch in range(1, until + 1)]
            top1 = 0.9 - 0.1 * self.names.index(name) if until < 3 else 0.1 * self.names.index(name)
            figures = {"top1": top1, "validation_loss": 1.0, "broken": 0}
            on_result(place, {"failed": False, "reason": "", "history": rows, **figures})


def results(config):
    """Return the table of the stage, and its metrics."""
    return read_finalists(), json.loads(METRICS_FILE.read_text())


def test_halves_of_the_finalists_go_on_and_the_best_is_chosen(search, monkeypatch):
    judge = Judge()
    monkeypatch.setattr(module, "run_side_by_side", judge)
    finalists.fn()
    table, metrics = results(search.config)
    assert judge.asked == [[1] * 5, [2] * 3, [3] * 2] and metrics["cells"] == 5
    assert metrics["epochs"] == 2 * 1 + 2 + 2 * 3 and metrics["epochs_without_halving"] == 15
    chosen = table.iloc[0]
    assert chosen["chosen"] and not table["chosen"][1:].any() and chosen["key"] == metrics["chosen"]
    assert chosen["key"].startswith(judge.names[1]) and metrics["top1"] == 0.1
    assert table["top1_after_1"].notna().all() and table["top1_after_3"].notna().sum() == 2
    assert any(origin.startswith(KNOWN) for origin in table["origin"])
    assert read_searched_cell().canonical_key == metrics["searched"] and metrics["searched"] in set(table["key"])
    first, second, last = metrics["rungs"]
    assert (first["until"], first["cells"], first["tau"]) == (1, 5, -1.0) and second["tau"] == 1.0
    assert last["tau"] is None, "two cells have no rank correlation"
    assert read_best_cell().canonical_key == metrics["chosen"] and best_cell_file() == FINALIST_FILE
    assert Results(search.config).best["key"] == metrics["chosen"]
    assert Results(search.config).searched_best["key"] == metrics["searched"]


def test_a_run_for_each_training_is_below_the_stage(search, monkeypatch):
    monkeypatch.setattr(module, "run_side_by_side", Judge())
    finalists.fn()
    done = [record for record in search.tracking.records if record.kind == "training"]
    assert len(done) == 5 == len({record.key for record in done}) and {each.status for each in done} == {"FINISHED"}
    assert sorted(len([point for point in each.metrics if point[0] == "top1"]) for each in done) == [1, 1, 2, 3, 3]
    (stage,) = [each for each in search.tracking.records if each.name == "finalists" and each.status == "FINISHED"]
    values = {name: value for name, value, _ in stage.metrics}
    assert values["epochs"] == 10 and values["rung_1.tau"] == -1 and "rung_3.tau" not in values
    assert set(stage.files) >= {"finalists.parquet", "best_cell.json"}
    assert {each.parent for each in done} == {stage.key}


def test_what_is_shown_tells_both_choices_apart(search, monkeypatch, capsys):
    monkeypatch.setattr(module, "run_side_by_side", Judge())
    finalists.fn()
    _, metrics = results(search.config)
    said = capsys.readouterr().err
    assert f"cell {metrics['chosen'][:8]} has the best top-1 after 3 epochs, 10.0 %; the search's choice" in said
    assert f"choice, {metrics['searched'][:8]}, has {100 * metrics['searched_top1']:.1f} % after " in said
    assert "Kendall's tau of the proxy's mean score and top-1 after 1 epoch, 5 cells: -1.00 (95 %: -1.00" in said
    assert "10 epochs were trained in all, against 15 with every cell trained to the end." in said
    monkeypatch.setattr(show, "load_config", lambda: search.config)
    with out.capture() as capture:
        show.show_results()
    text = capture.get()
    assert f"Chosen among finalists: cell {metrics['chosen'][:8]} has the best" in text
    assert f"The search's choice: cell {metrics['searched'][:8]}, expected score" in text


def test_without_images_or_finalists_the_search_chooses(search, monkeypatch, capsys):
    monkeypatch.setattr(module, "run_side_by_side", Judge())
    finalists.fn()
    config = search.session.config
    for change, words in (
        ({"finalists": FinalistsConfig(cells=0)}, "skipped: finalists.cells is 0"),
        ({"imagenet": SMALL}, "skipped: imagenet.dataset is not set; set it to a folder of images"),
    ):
        search.session.config = replace(config, **change)
        finalists.fn()
        assert words in capsys.readouterr().err
        table, metrics = results(search.config)
        assert not len(table) and metrics["cells"] == 0 and read_best_cell() == read_searched_cell()
        assert not FINALIST_FILE.exists()


def test_a_rate_at_which_all_diverge_is_refused(search, monkeypatch):
    failed = {"failed": True, "reason": "nan", "history": [], "broken": 0}
    failed |= {"top1": float("nan"), "validation_loss": float("nan")}

    def diverge(_engine, _task, inputs, on_result):
        for place in range(len(inputs)):
            on_result(place, failed)

    monkeypatch.setattr(module, "run_side_by_side", diverge)
    with pytest.raises(ParameterError, match=r"imagenet\.learning_rates = \[0\.1\]: .* diverged with 0\.1, the middle"):
        finalists.fn()
    assert not FINALIST_FILE.exists()
    stopped = [record for record in search.tracking.records if record.kind == "training"]
    assert len(stopped) == 5 and {record.status for record in stopped} == {"FAILED"}


@pytest.mark.slow
def test_a_comparison_that_was_killed_goes_on_and_comes_to_the_same_files(search, monkeypatch):
    """All trainings are real; the records of Prefect's cache are not, so each rung comes from its checkpoints."""
    config = search.session.config
    search.session.config = replace(config, finalists=FinalistsConfig(cells=3, rungs=(1, 2)))
    done = []

    def train(stop_after):
        def run(_engine, task, inputs, on_result):
            for place, values in enumerate(inputs):
                if len(done) == stop_after:
                    raise KeyboardInterrupt
                on_result(place, task.fn(**values))
                done.append((values["training"].spec.name, values["until"]))

        return run

    for stop_after in (1, 4):
        monkeypatch.setattr(module, "run_side_by_side", train(stop_after))
        with pytest.raises(KeyboardInterrupt):
            finalists.fn()
        assert not METRICS_FILE.exists() and best_cell_file() != FINALIST_FILE
    stages = [record for record in search.tracking.records if record.name == "finalists"]
    assert stages[-1].status == "KILLED"
    monkeypatch.setattr(module, "run_side_by_side", train(-1))
    finalists.fn()
    files = FINALIST_FILE.read_bytes(), METRICS_FILE.read_bytes()
    assert results(search.config)[1]["epochs"] == 5
    shutil.rmtree(".nasgem/checkpoints/finalists")
    finalists.fn()
    assert (FINALIST_FILE.read_bytes(), METRICS_FILE.read_bytes()) == files


@pytest.fixture
def pictures(searched):
    """Give a folder in which a search has run, with few images of many classes."""
    write_images(searched.root / "pictures", train=4, val=1, classes=[f"class {label:02}" for label in range(20)])
    searched.configure("imagenet", dataset="pictures", image_size=32, macs=8_000_000, tuning_share=0.25)
    searched.configure("gemnet", skeleton="mobile")
    return searched


@pytest.mark.slow
def test_workers_compare_and_the_files_come_back_with_the_same_bytes(pictures):
    text = pictures.succeed(*STAGE)
    assert "has the best top-1 after 2 epochs" in text and "5 epochs were trained in all, against 6" in text
    hashes, records = pictures.hashes("finalists"), pictures.records("finalist-training-")
    assert set(hashes) == {"data/finalists/best_cell.json", "data/finalists/finalists.parquet"} and len(records) == 5
    shutil.rmtree(pictures.root / "data" / "finalists")
    pictures.succeed(*STAGE)
    assert pictures.hashes("finalists") == hashes and pictures.records("finalist-training-") == records


@pytest.mark.nightly
@pytest.mark.slow
def test_killed_at_random_moments_it_comes_to_the_same_choice_which_networks_are_built_of(pictures, tmp_path):
    undisturbed = pictures.copy(tmp_path / "undisturbed")
    undisturbed.succeed(*STAGE)
    pictures.kill_training("finalists", tmp_path, longest=0.5)
    pictures.succeed(*STAGE)
    assert pictures.hashes("finalists") == undisturbed.hashes("finalists") != {}
    pictures.succeed("nasgem", "stage", "gemnet")
    chosen, built = (json.loads((pictures.root / "data" / name).read_text())["cell"] for name in BEST_AND_BUILT)
    assert chosen == built
