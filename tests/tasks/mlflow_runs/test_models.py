import numpy as np
import pytest
import torch
from torch import nn

from nasgem_core.errors import DataError
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.run_record import RunRecord

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")  # MLflow, of its own classes


@pytest.mark.parametrize("members", [1, 3])
def test_a_logged_model_loads_and_gives_the_same_outputs(place, members, capfd):
    import mlflow

    networks = [nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(members)]
    inputs = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = torch.stack([network(inputs) for network in networks]).mean(dim=0)
    random_state = torch.get_rng_state()
    model = FullyConnectedModel.from_modules("predictor", *networks)
    place.tracking.log(RunRecord(f"model-{members}", "predictor", "stage", models=[model]))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert capfd.readouterr() == ("", "")

    run_id = place.run(f"model-{members}").info.run_id
    mlflow.set_tracking_uri(place.tracking.uri)
    try:
        loaded = mlflow.pytorch.load_model(f"runs:/{run_id}/predictor")
        predictor = mlflow.pyfunc.load_model(f"runs:/{run_id}/predictor")
    finally:
        mlflow.set_tracking_uri(None)
    for batch in (inputs, inputs[:1]):
        torch.testing.assert_close(loaded(batch), expected[: len(batch)])
        np.testing.assert_allclose(
            predictor.predict(batch.numpy()), expected[: len(batch)].numpy(), rtol=1e-5, atol=1e-6
        )
    signature = predictor.metadata.signature
    assert (signature.inputs.inputs[0].shape, signature.outputs.inputs[0].shape) == ((-1, 5), (-1, 2))
    assert predictor.input_example.shape == (2, 5)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)], "part 1 is Tanh"),
        ([nn.Linear(2, 2), nn.ReLU()], "part 1 is ReLU"),
        ([nn.Linear(2, 2), nn.Linear(2, 1)], "part 1 is Linear"),
    ],
)
def test_a_network_of_other_parts_is_refused(parts, message):
    with pytest.raises(DataError, match=f"model encoder: {message}; linear layers with ReLU between"):
        FullyConnectedModel.from_modules("encoder", nn.Sequential(*parts))
