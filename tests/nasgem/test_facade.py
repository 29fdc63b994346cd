"""`import nasgem`: the names are there, cheap, and those that type checkers see."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import nasgem

ROOT = Path(__file__).parents[2]


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "nasgem" / "__init__.py").read_text())
    checking, hidden = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(hidden.test) == f"not {ast.unparse(checking.test)}" == "not TYPE_CHECKING"
    seen = {alias.name: node.module for node in checking.body for alias in node.names}
    assert seen == nasgem._HOMES and sorted(seen) == nasgem.__all__ == sorted(set(dir(nasgem)) & seen.keys())
    assert all((ROOT / package / "py.typed").is_file() for package in ("nasgem", "nasgem_core", "tasks", "flows"))


@pytest.mark.parametrize("name", nasgem.__all__)
def test_a_name_is_what_its_home_has(name):
    value = getattr(nasgem, name)
    assert value is getattr(import_module(nasgem._HOMES[name]), name) and value.__doc__


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="module 'nasgem' has no attribute 'missing'"):
        nasgem.missing  # noqa: B018


def test_importing_loads_nothing():
    code = "import sys; before = set(sys.modules); import nasgem; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded <= {"nasgem", *sys.stdlib_module_names}
