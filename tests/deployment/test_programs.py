from pathlib import Path

import pytest
import torch
from torch import nn

from nasgem_core.deployment.programs import CARD_KEY, Ports, capture, save_onnx, save_program
from nasgem_core.errors import DataError
from tests.deployment.networks import card, gemnet_spec, images, trained


def test_a_program_takes_any_number_of_images_and_holds_the_card(tmp_path, capfd):
    spec = gemnet_spec()
    network, own = trained(spec), card(spec)
    program = capture(network, own.name, (images(spec),), ({0: torch.export.Dim("batch")},))
    save_program(program, own.name, tmp_path / "network.pt2", {CARD_KEY: own.to_json()})
    assert capfd.readouterr() == ("", "")
    extra = {CARD_KEY: ""}
    loaded = torch.export.load(tmp_path / "network.pt2", extra_files=extra).module()
    assert extra[CARD_KEY] == own.to_json()
    for count in (1, 2, 5):
        batch = images(spec, count)
        with torch.no_grad():
            torch.testing.assert_close(loaded(batch), network(batch))


def test_a_full_disk_is_an_error_and_no_abort():
    program = capture(nn.Linear(8, 8), "a layer", (torch.zeros(1, 8),))
    with pytest.raises(OSError, match="No space left on device"):
        save_program(program, "a layer", Path("/dev/full"), {})


class Branching(nn.Module):
    def forward(self, images):
        return images if images.sum() > 0 else -images


class OneImage(nn.Module):
    def forward(self, images):
        return images.reshape(2, -1)


@pytest.mark.parametrize("network", [Branching(), OneImage()], ids=["branching", "one-batch"])
def test_what_cannot_be_captured_is_named(network):
    with pytest.raises(DataError, match=r"GEMNet-S cannot be written by torch\.export: \w+"):
        capture(network, "GEMNet-S", (images(gemnet_spec()),), ({0: torch.export.Dim("batch")},))


def test_a_program_that_onnx_does_not_know_is_named(tmp_path):
    with pytest.raises(DataError, match="GEMNet-S cannot be written by ONNX: "):
        save_onnx(None, "GEMNet-S", tmp_path / "network.onnx", {}, Ports(["images"], ["logits"], "batch"))
