import json

from tasks.stages.encoder import GUIDED, METRICS_FILE, PLAIN, read_encoder


def test_both_encoders_are_written_and_reported(small_search):
    metrics = json.loads(METRICS_FILE.read_text())
    guided, plain = read_encoder(GUIDED), read_encoder(PLAIN)
    assert guided.config.similarity_weight > 0 == plain.config.similarity_weight
    assert metrics[GUIDED]["r_squared"] == guided.report.r_squared
    (stage,) = [r for r in small_search.tracking.records if r.kind == "stage" and r.name == "encoder"]
    assert "plain_r_squared" in {name for name, _, _ in stage.metrics}
