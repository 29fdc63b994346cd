import numpy as np
import torch

from nasgem_core.deployment.forms.torch import FORM
from nasgem_core.deployment.originals import Classifier
from tests.deployment.networks import card, gemnet_spec, images, trained


def test_the_program_of_a_classifier_gives_its_logits(tmp_path):
    spec = gemnet_spec()
    network = trained(spec)
    FORM.classifier.write(Classifier(card(spec), network), tmp_path / FORM.file)
    (logits,) = FORM.classifier.run(tmp_path / FORM.file)(images(spec, 3).numpy())
    with torch.no_grad():
        assert np.allclose(logits, network(images(spec, 3)).numpy(), atol=1e-5)


def test_a_program_with_several_outputs_is_given_its_threshold(tmp_path):
    class Above(torch.nn.Module):
        def forward(self, scores, threshold):
            return scores * 2, scores - threshold

    inputs = torch.ones(3), torch.tensor(0.5)
    torch.export.save(torch.export.export(Above(), inputs), tmp_path / FORM.file)
    doubled, above = FORM.detector.run(tmp_path / FORM.file, np.array(0.25, np.float32))(np.ones(3, np.float32))
    assert (doubled.tolist(), above.tolist()) == ([2, 2, 2], [0.75, 0.75, 0.75])
