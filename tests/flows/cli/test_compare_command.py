"""What `nasgem compare` hands to the function that does the work."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import run_compare
from flows.cli.run_compare import Asked
from flows.cli.search_commands import app

RIVALS = "mobilenet_v2,mobilenet_v3_small"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("best", "--macs", "20M"), Asked(["best"], RIVALS, "20M", "", "", 0, 0, Path("data/comparison"))),
        (
            (
                "best",
                "0a4d",
                "--latency",
                "2ms",
                "--rivals",
                "",
                "--seeds",
                "5",
                "--images",
                "photos",
                "--output",
                "out",
            ),
            Asked(["best", "0a4d"], "", "", "2ms", "photos", 0, 5, Path("out")),
        ),
        (("--macs", "5M", "--image-size", "32"), Asked([], RIVALS, "5M", "", "", 32, 0, Path("data/comparison"))),
    ],
)
def test_the_options_are_handed_on(monkeypatch, words, asked):
    calls = []
    monkeypatch.setattr(run_compare, "run_compare", calls.append)
    shown = CliRunner().invoke(app, ["compare", *words])
    assert shown.exit_code == 0, shown.output
    assert calls == [asked]
