"""The appendix on the encoder; its pictures are tested where a search has run, in tests/flows/stages/test_report.py."""

from dataclasses import replace

from nasgem_core.config.search import SearchConfig
from tasks.stages.report_encoder import encoder_table, encoder_words
from tasks.stages.results import Results
from tasks.store.artifacts import METRICS, write_json


def test_it_says_whether_the_predictor_reads_the_embeddings():
    config = SearchConfig()
    assert "gaussian_process, reads the cells themselves" in encoder_words(Results(config))
    paper = replace(config, predictor=replace(config.predictor, kind="perceptron"))
    assert "reads the encoder's embeddings" in encoder_words(Results(paper))


def test_the_table_has_both_encoders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ("r_squared", "similarity_loss", "constant_similarity_loss", "edge_f1", "operation_accuracy")
    figures = dict.fromkeys(names, 0.5)
    document = {"guided": figures, "plain": figures | {"r_squared": None}}
    write_json(METRICS / "encoder.json", "nasgem.metrics/1", document)
    table = encoder_table(Results(SearchConfig()))
    assert [row[:2] for row in table.rows] == [["guided", "0.5000"], ["plain", "-"]]
