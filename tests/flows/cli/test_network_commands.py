"""What the commands hand to the functions that do the work."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import run_int8, run_networks
from flows.cli.search_commands import app
from nasgem_core.errors import DataError


@pytest.fixture
def called(monkeypatch):
    """Have commands do nothing; give the arguments of the functions that they call."""
    calls = []
    for name in ("run_export", "run_predict", "run_detect", "run_latency"):
        monkeypatch.setattr(
            run_networks, name, lambda *values, name=name, **more: calls.append((name, *values, *more.values()))
        )
    monkeypatch.setattr(run_int8, "run_int8", lambda *values: calls.append(("run_int8", *values)))
    return calls


def run(*words: str, code: int = 0) -> str:
    shown = CliRunner().invoke(app, list(words))
    assert shown.exit_code == code, shown.output
    return shown.stderr


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (("export", "net", "--output", "out"), ("run_export", "net", Path("out"), "all")),
        (("export", "net", "--output", "out", "--format", "onnx"), ("run_export", "net", Path("out"), "onnx")),
        (("export", "net", "--output", "out", "--format", "int8"), ("run_int8", "net", Path("out"), None, 0.02)),
        (
            ("export", "net", "--output", "out", "--format", "int8", "--images", "tiny", "--most-lost", "0.1"),
            ("run_int8", "net", Path("out"), Path("tiny"), 0.1),
        ),
        (("predict", "a.jpg"), ("run_predict", Path("a.jpg"), "imagenet@champion", 5)),
        (("predict", "a.jpg", "--model", "net", "--top", "2"), ("run_predict", Path("a.jpg"), "net", 2)),
        (("detect", "a.jpg"), ("run_detect", Path("a.jpg"), "coco@champion", Path("detections.png"), 0.5)),
        (
            ("detect", "a.jpg", "--output", "b.png", "--threshold", "0.1"),
            ("run_detect", Path("a.jpg"), "coco@champion", Path("b.png"), 0.1),
        ),
    ],
)
def test_options_and_defaults_arrive(called, words, call):
    run(*words)
    assert called == [call]


def test_the_measurement_of_latency_arrives(called):
    run("latency")
    run(
        "latency",
        "best",
        "net",
        "--sampled",
        "3",
        "--device",
        "cpu",
        "--batch",
        "2",
        "--threads",
        "4",
        "--repeats",
        "9",
        "--engine",
        "onnxruntime",
        "--macs",
        "19M",
    )
    folder = Path("data/latency")
    assert called == [
        ("run_latency", [], 0, run_networks.Measurement(None, 1, 1, 50), folder, None),
        ("run_latency", ["best", "net"], 3, run_networks.Measurement("cpu", 2, 4, 9, "onnxruntime"), folder, "19M"),
    ]


@pytest.mark.parametrize("words", [("predict", "a.jpg", "--top", "0"), ("detect", "a.jpg", "--threshold", "2")])
def test_values_out_of_range_are_refused(called, words):
    run(*words, code=2)
    assert called == []


def test_a_mistake_ends_with_one_line_and_an_interruption_says_what_is_left(called, monkeypatch):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(run_networks, "run_predict", fail)
    error: BaseException = DataError("a.jpg is not a file")
    assert run("predict", "a.jpg", code=1) == "nasgem: a.jpg is not a file\n"
    error = KeyboardInterrupt()
    assert run("predict", "a.jpg", code=130) == "nasgem: stopped. Nothing was written\n"
