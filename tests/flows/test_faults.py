"""What a user or a machine can do wrong: one clear line, a non-zero exit, and nothing lost."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.flows.workspace import assert_clean, assert_only_grown

pytestmark = pytest.mark.slow
own_server = pytest.mark.own_server

NOWHERE = "http://127.0.0.1:1"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed: 0", "sed: 0", "params.yaml: sed is unknown: known are seed"),
        ("dimension: 8", "dimension: eight", "params.yaml: encoder.dimension = 'eight': must be of type int"),
        ("dimension: 8", "dimension: 0", "params.yaml: encoder.dimension = 0: must lie between 1 and 1024"),
        ("  dimension: 8 ", "  # ", "params.yaml: encoder.dimension is missing: add its default, `dimension: 32`"),
        ("dimension: 8", "dimension: [", "params.yaml is not valid YAML in line"),
        ("conv1x1", "conv9x9", "params.yaml: cells.operations holds 'conv9x9': known operations are"),
        ("image_size: 32", "image_size: 64", "proxy.image_size = 64: cifar10_proxy has images of 32 pixels"),
        ("dataset: cifar10_proxy", "dataset: no/where", "no/where"),
    ],
)
def test_wrong_parameters(fresh, old, new, message):
    edit(fresh.root / "params.yaml", old, new)
    assert message in fresh.refused("nasgem", "search")
    assert not fresh.hashes()


@own_server  # `nasgem serve` would serve where one runs
def test_wrong_options(fresh):
    before = (fresh.root / "params.yaml").read_bytes()
    for options, message in [
        (["search", "--set", "encoder.size=3"], "unknown parameter encoder.size: known there are"),
        (["search", "--set", "seed"], "--set seed: write it as name=value"),
        (["search", "--profile", "huge"], "unknown profile 'huge': known are laptop, own_images, paper, tiny"),
        (["search", "--workers", "0"], "workers = '0': must be a whole number of at least 1 and"),
        (["search", "--device", "abacus"], "device = 'abacus' cannot be used"),
        (["stage", "pears"], "unknown stage 'pears'"),
        (["select", "--macs", "many"], "--macs 'many': must be a number of at least 1"),
        (["select", "--penalty", "-1"], "penalty = -1.0: must be between 0 and 100"),
        (["show", "best"], "data/bootstrap/best_cell.json is missing: run the stage that makes it"),
        (["serve", "--cron", "tomorrow"], "cron = 'tomorrow': five fields such as"),
    ]:
        assert message in fresh.refused("nasgem", *options)
    assert (fresh.root / "params.yaml").read_bytes() == before


def test_what_is_no_cell(fresh):
    for document, message in [
        ('{"schema": "nasgem.cell/1", "operations": ["input", "conv9x9"], "edges": [[0, 1]]}', "'conv9x9'"),
        ('{"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": [[1, 0]]}', "may have a cycle"),
        ("no json", "not valid JSON"),
    ]:
        (fresh.root / "cell.json").write_text(document)
        assert message in fresh.refused("nasgem", "show", "cell.json")
    assert "other.json cannot be read" in fresh.refused("nasgem", "show", "other.json")


def test_damaged_images(fresh):
    images = fresh.root / "data" / "raw" / "cifar10_proxy.npz"
    whole = images.read_bytes()
    for content in (whole[: len(whole) // 2], b"no images", b""):
        images.write_bytes(content)
        message = fresh.refused("nasgem", "stage", "pairs")
        assert "cifar10_proxy.npz is truncated or not an npz file" in message and "restore" in message
    images.unlink()  # the package has a copy
    fresh.succeed("nasgem", "stage", "pairs")
    assert fresh.hashes("pairs")


def test_a_foreign_file_in_place_of_an_artifact(searched):
    for stage, name in [("encoder", "labels/labelled_pairs.npz"), ("report", "bootstrap/cells.parquet")]:
        path = searched.root / "data" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        message = searched.refused("nasgem", "stage", stage)
        assert f"data/{name} is not a nasgem." in message
        assert f"run `nasgem stage {path.parent.name}` to make it again" in message
        path.unlink()
        message = searched.refused("nasgem", "stage", stage)
        assert f"data/{name} is missing" in message and f"`nasgem stage {path.parent.name}`" in message
        path.write_bytes(whole)


@own_server
def test_two_at_once(searched):
    log = searched.root / ".nasgem" / "log"
    hashes, params = searched.hashes(), (searched.root / "params.yaml").read_bytes()
    first = searched.start("nasgem", "search", output=log)
    searched.wait_for_line(log, "stage pairs")
    for command in (["search", "--set", "score.penalty=0.2"], ["search", "--profile", "laptop"], ["stage", "pairs"]):
        message = searched.refused("nasgem", *command)
        assert f"process {first.pid} is already working in this folder" in message
    assert f"process {first.pid} is already working" in searched.succeed("nasgem", "status")
    assert first.wait(300) == 0
    assert (searched.hashes(), (searched.root / "params.yaml").read_bytes()) == (hashes, params)


@own_server
def test_servers_that_do_not_answer(fresh):
    message = fresh.refused("nasgem", "stage", "pairs", MLFLOW_TRACKING_URI=NOWHERE)
    assert f"MLflow at {NOWHERE} cannot be reached" in message and "unset MLFLOW_TRACKING_URI" in message
    message = fresh.refused("nasgem", "stage", "pairs", PREFECT_API_URL=f"{NOWHERE}/api")
    assert f"Prefect server at {NOWHERE}/api does not answer" in message and "unset PREFECT_API_URL" in message
    assert not fresh.hashes()


@own_server
def test_a_server_that_cannot_start(fresh):
    database = fresh.root / ".nasgem" / "prefect" / "prefect.db"
    database.write_bytes(b"no database" * 100)
    message = fresh.refused("nasgem", "stage", "pairs")
    assert "the Prefect server did not start" in message and "prefect.db away" in message


@own_server
def test_ctrl_c(fresh):
    log = fresh.root / "log"
    process = fresh.start("nasgem", "search", "--set", "proxy.epochs=10", output=log)
    fresh.wait_for_line(log, "stage estimator")
    fresh.wait_for(lambda: bool(fresh.records()))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    text = log.read_text()
    assert_clean(text)
    assert "nasgem: stopping ..." in text
    assert text.rstrip().splitlines()[-1].startswith("nasgem: stopped. Everything that was finished is kept")
    fresh.wait_until_deserted(5)


@own_server
def test_ctrl_c_in_dvc_repro(fresh):
    log = fresh.root / "log"
    process = fresh.start("dvc", "repro", output=log)
    fresh.wait_for(lambda: "Running stage 'pairs'" in log.read_text() and (fresh.root / ".nasgem" / "holder").is_file())
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    text = log.read_text()
    assert "Traceback" not in text and "nasgem: stopped." in text
    fresh.wait_until_deserted(5)
    assert "pairs:" in fresh.succeed("dvc", "status")


@own_server
@pytest.mark.parametrize("command", [("nasgem", "search"), pytest.param(("dvc", "repro"), marks=pytest.mark.nightly)])
def test_a_killed_command_leaves_nothing_behind_and_goes_on(searched, command):
    hashes, records = searched.hashes(), searched.records("")
    (searched.root / "data" / "labels" / "labelled_pairs.npz").unlink()
    (searched.root / "data" / "pairs" / "pairs.npz").unlink()
    holder = searched.root / ".nasgem" / "holder"
    for begun in (holder, searched.root / "data" / "pairs" / "pairs.npz"):
        holder.unlink(missing_ok=True)
        process = searched.start(*command)
        searched.wait_for(begun.is_file)
        process.kill()
        process.wait()
        searched.wait_until_deserted(10)
    searched.succeed(*command)
    assert_only_grown(records, searched.records(""))
    assert searched.hashes() == hashes
    assert "up to date" in searched.succeed("dvc", "status")


@pytest.fixture
def small_disk(searched, request):
    """Put the stage folder of the encoder on a disk of its own; give the folder."""
    folder = searched.root / "data" / "encoder"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(searched, small_disk):
    message = searched.refused("nasgem", "stage", "encoder")
    assert re.search(rf"the disk is full: free space at {small_disk} \(\d\.\d MB left\), and run again;", message)
    assert not [path for path in small_disk.iterdir() if path.name.startswith(".")]


def test_a_read_only_disk(searched, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert "the disk is read-only: make it writable" in searched.refused("nasgem", "stage", "encoder")


def test_a_folder_that_cannot_be_written(fresh):
    shutil.rmtree(fresh.root / ".nasgem")
    (fresh.root / ".nasgem").write_text("a file where the folder should be")
    message = fresh.refused("nasgem", "search")
    assert "cannot write to" in message and "make the folder writable" in message
