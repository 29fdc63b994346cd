import ast
import sys

import pytest

from nasgem_core.deployment.python_file import literal, python_file
from tests.deployment.networks import card, gemnet_spec, loaded


@pytest.mark.parametrize(
    "value",
    [
        (),
        (1,),
        ("a",),
        ((0, 1), (1, 2)),
        3,
        2.5,
        True,
        'a "word"',
        tuple(f"class {i}, ünïcode \N{GRINNING FACE} \\ '\"\n\0" for i in range(40)),
        tuple((i, i + 1) for i in range(100)),
    ],
)
def test_literals_mean_what_they_say(value):
    text = literal(value)
    assert ast.literal_eval(text) == value
    assert all(len(line) <= 116 for line in text.splitlines())


def test_lists_become_tuples():
    assert ast.literal_eval(literal([[0, 1], ["a"]])) == ((0, 1), ("a",))


def test_a_file_tells_what_the_network_reads(tmp_path):
    text = python_file(card(gemnet_spec()), {"SIZES": [1, 2]}, ["def double(x):\n    return 2 * x\n"], "nn.Identity()")
    module = loaded(text, tmp_path)
    assert (module.IMAGE_SIZE, module.CENTRE_SHARE) == (32, 0.875)
    assert (module.MEAN, module.STD) == ((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    assert module.CLASSES == ("cat", "dog", "a 'third' class")
    assert module.SIZES == (1, 2) and module.double(4) == 8
    assert not module.build(weights=None).training


def test_a_file_imports_what_it_needs_and_no_more():
    text = python_file(card(gemnet_spec()), {}, ["first = operator.add\n"], "nn.Identity()")
    imported = {node.names[0].name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)}
    modules = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "math", "operator", "torch"} and modules == {"pathlib", "torch"}
    assert imported | modules <= {"torch", *sys.stdlib_module_names}
