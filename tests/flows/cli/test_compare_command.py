"""What `nasgem compare` hands to the function that does the work."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import run_compare
from flows.cli.run_compare import Asked
from flows.cli.search_commands import app

RIVALS, KEPT = "mobilenet_v2,mobilenet_v3_small", Path("data/comparison")


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("best", "--macs", "20M"), Asked(["best"], RIVALS, KEPT, macs="20M")),
        (
            ("best", "0a4d", "--latency=2ms", "--rivals=", "--seeds=5", "--images=photos", "--output=out"),
            Asked(["best", "0a4d"], "", Path("out"), latency="2ms", images="photos", seeds=5),
        ),
        (
            ("best", "--macs", "5M", "--from", "app", "--from", "weights.pth"),
            Asked(["best"], RIVALS, KEPT, macs="5M", weights=["app", "weights.pth"]),
        ),
        (("--macs", "5M", "--image-size", "32"), Asked([], RIVALS, KEPT, macs="5M", image_size=32)),
    ],
)
def test_the_options_are_handed_on(monkeypatch, words, asked):
    calls = []
    monkeypatch.setattr(run_compare, "run_compare", calls.append)
    shown = CliRunner().invoke(app, ["compare", *words])
    assert shown.exit_code == 0, shown.output
    assert calls == [asked]
