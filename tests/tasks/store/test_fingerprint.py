import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nasgem_core import registry
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, ProxyConfig, SearchConfig
from nasgem_core.errors import ParameterError
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.registry import Registry
from tasks.run.placement import Placement
from tasks.store import fingerprint as module
from tasks.store.fingerprint import fingerprint, registered_source, source_closure

ROOT = Path(__file__).parents[3]
EXAMPLE = "fingerprint([{'b': [1, 2.5, None, True], 'a': np.arange(4)}, SearchConfig(), Placement()])"


@dataclass(frozen=True)
class Settings:
    size: int
    place: str = field(default="here", metadata={"in_key": False})


@dataclass(frozen=True)
class OtherSettings:
    size: int


def test_values_that_differ_have_other_fingerprints():
    values = [
        None,
        True,
        1,
        1.0,
        "1",
        "",
        [],
        {},
        [1, 2],
        [[1], 2],
        [[1, 2]],
        {"1": 2},
        np.array([1, 2]),
        np.array([1, 2], dtype=np.int32),
        np.array([[1, 2]]),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        Settings(1),
        Settings(2),
        OtherSettings(1),
    ]
    assert len({fingerprint(value) for value in values}) == len(values)


def test_what_counts_as_equal():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint((1, "x")) == fingerprint([1, "x"])
    array = np.arange(6).reshape(2, 3)
    assert fingerprint(array.T) == fingerprint(np.ascontiguousarray(array.T))
    assert fingerprint(Settings(1, "here")) == fingerprint(Settings(1, "there"))
    assert fingerprint(Placement(device="cuda", images="elsewhere")) == fingerprint(Placement())
    assert fingerprint(replace(ProxyConfig(), dataset="a_folder")) == fingerprint(ProxyConfig())
    assert fingerprint(replace(ProxyConfig(), epochs=4)) != fingerprint(ProxyConfig())


def test_cells_have_fingerprints():
    cells = sample_cells(CellsConfig(vertices=6), 4, 0)
    assert fingerprint(cells) == fingerprint(CellBatch.from_cells(list(cells), cells.operation_names, 6))
    assert fingerprint(cells) != fingerprint(cells[::-1])
    distinct = {cell.to_json() for cell in cells}
    assert len({fingerprint(cell) for cell in cells}) == len(distinct)


@pytest.mark.parametrize("value", [{1}, object(), b"x", np.array([object()]), Path("x"), Settings])
def test_what_would_hash_differently_elsewhere_is_refused(value):
    with pytest.raises(TypeError, match="has no fingerprint"):
        fingerprint([value])


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_agrees(hash_seed: str):
    code = (
        "import numpy as np; from nasgem_core.config.search import SearchConfig; "
        "from tasks.run.placement import Placement; "
        "from tasks.store.fingerprint import fingerprint, source_fingerprint; "
        f"print({EXAMPLE}, source_fingerprint('tasks.stages.encoder'))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    here = eval(EXAMPLE, {"fingerprint": fingerprint, "np": np, "SearchConfig": SearchConfig, "Placement": Placement})
    assert done.stdout.split() == [here, module.source_fingerprint("tasks.stages.encoder")]


def test_closure_follows_helpers_and_leaves_out_what_only_stores_or_shows():
    closure = source_closure("tasks.stages.encoder")
    assert {
        "tasks.stages.encoder",
        "tasks.stages.pairs",
        "nasgem_core.encoders.fitting",
        "nasgem_core.cells.cell",
    } <= set(closure)
    assert "nasgem_core.seeding" in source_closure("tasks.stages.proxy")  # imported by what the task imports
    unwanted = {
        "tasks.run.progress",
        "tasks.store.artifacts",
        "tasks.store.caching",
        "nasgem_core.config.search",
        "nasgem_core.search.score",
    }
    assert not unwanted & set(closure)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Copy the packages; called with a file and text to append, give the encoder task's fingerprint after that."""
    for package in ("nasgem_core", "tasks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "_ROOT", tmp_path)

    def after(name: str, appended: str) -> str:
        path = tmp_path / name
        path.write_text(path.read_text() + appended)
        forget()
        return module.source_fingerprint("tasks.stages.encoder")

    yield after
    forget()


def forget() -> None:
    """Read sources again: a process takes them to stay as they are."""
    for function in (
        module.source_fingerprint,
        module.source_closure,
        module._package_path,
        module._followed_imports,
        module._parsed,
        module._normalised_source,
    ):
        function.cache_clear()


def test_a_change_in_code_counts_and_a_comment_does_not(source):
    first = source("tasks/stages/encoder.py", "")
    assert source("tasks/stages/encoder.py", '\n# a comment\n"""A text."""\n') == first
    assert source("nasgem_core/cells/cell.py", '\n\n\ndef unused():\n    """Return."""\n') != first
    second = source("nasgem_core/cells/cell.py", "")
    assert source("nasgem_core/search/score.py", "\nX = 1\n") == second  # not below the encoder
    assert source("nasgem_core/encoders/ordering.py", "\nX = 1\n") != second  # a helper of a helper


def test_a_docstring_inside_does_not_count(source):
    first = source("nasgem_core/cells/cell.py", "\n\n\ndef unused():\n    return 1\n")
    path = module._ROOT / "nasgem_core/cells/cell.py"
    path.write_text(path.read_text().replace("def unused():\n", 'def unused():\n    """Return one."""\n\n'))
    assert source("nasgem_core/cells/cell.py", "") == first


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Put a package `plugged` on the path; call it with a file and its text, get the fingerprint of `plugged.thing`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        forget()
        return module.source_fingerprint("plugged.thing")

    write("plugged/__init__.py", "")
    write("plugged/deep/__init__.py", "")
    write("plugged/deep/helper.py", "")
    write("plugged/other.py", "")
    write("plugged/thing.py", "from nasgem_core.seeding import derive_seed\nfrom .deep import helper\nTHING = 1\n")
    yield write
    forget()


def test_the_source_of_a_plugin_counts_with_what_it_imports(plugin):
    first = plugin("plugged/other.py", "X = 1\n")  # not imported
    assert plugin("plugged/thing.py", (Path(module._module_path("plugged.thing")).read_text() + "# why\n")) == first
    assert source_closure("plugged.thing") == (
        "nasgem_core.seeding",
        "plugged",
        "plugged.deep",
        "plugged.deep.helper",
        "plugged.thing",
    )
    second = plugin("plugged/deep/helper.py", "X = 1\n")
    assert second != first
    third = plugin("plugged/__init__.py", "from plugged.other import X\n")  # runs when the thing is imported
    assert third != second and plugin("plugged/other.py", "X = 2\n") != third
    assert "plugged" not in sys.modules


def test_what_has_no_source_counts_by_its_name(plugin):
    assert source_closure("no_such_package.thing") == ("no_such_package.thing",)
    names = ["no_such_package.thing", "no_such_package.other", "plugged.missing", "math"]
    assert len({module.source_fingerprint(name) for name in names}) == len(names)


@pytest.fixture
def own_operation(plugin, monkeypatch):
    """Install the operation `shift` as `plugged.thing`; call it with a number in its source, get all fingerprints."""
    text = """
from nasgem_core.operations.operation import Operation

OPERATION = Operation("shift", macs_per_pixel=lambda a, b: {}, params=lambda a, b: 0, layer=None)
"""
    point = EntryPoint("shift", "plugged.thing:OPERATION", OPERATIONS._group)
    monkeypatch.setattr(registry, "_plugins", lambda group: {"shift": (point,)} if group == OPERATIONS._group else {})
    edge = np.triu(np.ones((2, 2)), 1)
    space = CellsConfig(vertices=4, operations=("conv1x1", "shift"))
    without = replace(space, operations=("conv1x1", "conv3x3"))
    cells = {name: Cell(edge, ("input", name)) for name in ("conv1x1", "shift")}
    values = {
        "space": space,
        "space without": without,
        "cell": cells["shift"],
        "cell without": cells["conv1x1"],
        "document": {"network": cells["shift"].to_dict()},
        "document without": {"network": cells["conv1x1"].to_dict()},
        "batch": CellBatch.from_cells(list(cells.values()), space.operations),
        "batch without": CellBatch.from_cells([cells["conv1x1"]], space.operations),
        "names without": list(space.operations),
    }

    def after(number: int) -> dict[str, str]:
        plugin("plugged/thing.py", text.replace("{}", str(number)))
        return {name: fingerprint(value) for name, value in values.items()}

    return after


def test_cells_count_with_the_source_of_their_operations_alone(own_operation, monkeypatch):
    first, second = own_operation(1), own_operation(2)
    assert {name for name in first if first[name] == second[name]} == {n for n in first if n.endswith("without")}
    monkeypatch.setattr(registry, "_plugins", lambda group: {})  # there are fewer operations, none of them used
    third = {name: value for name, value in own_operation(2).items() if name.endswith("without")}
    assert third.items() <= first.items()


def test_operations_added_in_this_process_count_by_their_layer(monkeypatch):
    monkeypatch.setattr(OPERATIONS, "_added", {})
    costs = OPERATIONS.get("conv1x1")
    edge = np.triu(np.ones((2, 2)), 1)
    found = []
    for layer in (Settings, OtherSettings):
        OPERATIONS.add("shift", replace(costs, name="shift", layer=layer))
        found.append(fingerprint(Cell(edge, ("input", "shift"))))
    assert found[0] != found[1]


def test_fingerprints_of_many_cells_are_fast():
    cells = [Cell(np.triu(np.ones((2, 2)), 1), ("input", "conv1x1"))] * 1000
    fingerprint(cells[:1])
    started = time.process_time()
    fingerprint(cells)
    assert time.process_time() - started < 1  # about 20 ms


def test_registered_things_count_by_their_source():
    known: Registry[object] = Registry("thing", {"seed": "nasgem_core.seeding:derive_seed"}, "nasgem.things")
    assert registered_source(known, "seed") == module.source_fingerprint("nasgem_core.seeding")
    known.add("one", Settings)
    known.add("two", OtherSettings)
    known.add("compiled", len)
    known.add("parts", SimpleNamespace(name="two", build=OtherSettings))
    sources = {name: registered_source(known, name) for name in ("one", "two", "compiled")}
    assert len(set(sources.values())) == 3 and registered_source(known, "parts") == sources["two"]
    with pytest.raises(ParameterError, match="unknown thing 'three'"):
        registered_source(known, "three")
