import ast
import sys
import textwrap

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms import functional

from nasgem_core.deployment.predicting import prepare
from nasgem_core.deployment.python_file import literal, python_file
from nasgem_core.deployment.sources import source_of
from tests.deployment.networks import card, gemnet_spec, images, loaded, photo, trained


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
    double = "def double(x):\n    return 2 * x\n"
    text = python_file(card(gemnet_spec()), nn.Identity(), {"SIZES": [1, 2]}, [double], "nn.Identity()")
    module = loaded(text, tmp_path)
    assert (module.IMAGE_SIZE, module.CENTRE_SHARE) == (32, 0.875)
    assert (module.MEAN, module.STD) == ((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    assert module.CLASSES == ("cat", "dog", "a 'third' class")
    assert module.SIZES == (1, 2) and module.double(4) == 8
    assert not module.build(weights=None).training
    assert "set_submodule" not in text  # there is no last layer


def test_a_file_shows_the_network_what_predict_does(tmp_path):
    """Of a large picture with fine structure, a resizing without averaging makes another one."""
    own, picture = card(gemnet_spec()), photo()
    module = loaded(python_file(own, nn.Identity(), {}, [], "nn.Identity()"), tmp_path)
    expected = prepare(picture, own)[0]
    torch.testing.assert_close(module.prepare(picture), expected, rtol=0, atol=1e-6)
    square = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None, :, 56:844, 206:994] / 255
    coarse = functional.normalize(nn.functional.interpolate(square, (32, 32), mode="bilinear")[0], own.mean, own.std)
    assert (coarse - expected).abs().max() > 0.1


def test_a_file_tells_how_to_train_it_on_other_classes(tmp_path):
    spec = gemnet_spec()
    network = trained(spec)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    module = loaded(source_of(card(spec), spec, network), tmp_path)
    lines = textwrap.dedent(module.__doc__.partition("exchange its last layer")[2].partition("\n\n")[2])
    again = module.build()
    exec(lines, {"network": again, "torch": torch})
    assert again.training and again(images(spec)).shape == (2, 5)
    weight = "stages.0.0.vertices.0.layer.weight"
    assert torch.equal(again.state_dict()[weight], network.state_dict()[weight])


def test_a_file_imports_what_it_needs_and_no_more():
    text = python_file(card(gemnet_spec()), nn.Identity(), {}, ["first = operator.add\n"], "nn.Identity()")
    imported = {node.names[0].name for node in ast.parse(text).body if isinstance(node, ast.Import)}
    modules = {node.module for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "math", "operator", "torch"} and modules == {"pathlib", "typing", "torch"}
    assert imported | modules <= {"torch", *sys.stdlib_module_names}
