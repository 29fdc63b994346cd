"""Fully connected models as plain arrays, logged to MLflow without pickle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.errors import DataError
from tasks.mlflow_runs.logged_model import add_model, save_program
from tasks.store.fingerprint import fingerprint

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from torch import nn

DIGEST_TAG = "nasgem.digest"
"""MLflow tag with a fingerprint: of a logged model, or of the record that a run has in full."""

Layer = tuple[np.ndarray, np.ndarray]
"""Weight [out, in] and bias [out] of a linear layer, float32."""


@dataclass(frozen=True)
class FullyConnectedModel:
    """A ReLU network, or several of the same widths whose mean output is the model's: [B, in] -> [B, out].

    The encoder is one network; a predictor has one for each member.
    """

    name: str
    """What MLflow shows, `encoder` or `predictor`."""
    members: Sequence[Sequence[Layer]]
    """The linear layers of each network, in order; a ReLU is between two layers."""

    @classmethod
    def from_modules(cls, name: str, *networks: "nn.Sequential") -> "FullyConnectedModel":
        """Copy the weights out of networks of the form Linear, ReLU, Linear, ..., Linear.

        Raises:
            DataError: a network has another form.
        """
        return cls(name, tuple(tuple(_linear_layers(name, network)) for network in networks))

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of the input, then of each layer's output."""
        layers = self.members[0]
        return (layers[0][0].shape[1], *(weight.shape[0] for weight, _ in layers))

    def module(self) -> "nn.Module":
        """Rebuild the model in torch, in evaluation mode; draws nothing from the global random state."""
        import torch
        from torch import nn

        class MeanOfNetworks(nn.Module):
            def __init__(self, networks: list[nn.Sequential]) -> None:
                super().__init__()
                self.networks = nn.ModuleList(networks)

            def forward(self, inputs: torch.Tensor) -> torch.Tensor:
                return torch.stack([network(inputs) for network in self.networks]).mean(dim=0)

        networks = []
        for layers in self.members:
            parts: list[nn.Module] = []
            for weight, bias in layers:
                linear = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])
                linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
                parts += [linear, nn.ReLU()]
            networks.append(nn.Sequential(*parts[:-1]))
        return (networks[0] if len(networks) == 1 else MeanOfNetworks(networks)).eval()


def _linear_layers(name: str, network: "nn.Sequential") -> Iterator[Layer]:
    from torch import nn

    for i, part in enumerate(network):
        expected = nn.ReLU if i % 2 else nn.Linear
        if not isinstance(part, expected) or (i == len(network) - 1 and i % 2):
            raise DataError(
                f"model {name}: part {i} is {type(part).__name__}; linear layers with ReLU between them are expected"
            )
        if isinstance(part, nn.Linear):
            yield part.weight.detach().cpu().numpy().copy(), part.bias.detach().cpu().numpy().copy()


def log_model(client: "MlflowClient", run: Any, model: FullyConnectedModel) -> None:
    """Log `model` as an output of `run`, exported by `torch.export`, with signature and input example.

    Repeating the call is harmless: if the same model is there and whole, it stays; any other one of that name is
    deleted and logged again. `mlflow.pytorch.load_model` and `mlflow.pyfunc.load_model` load it for any batch size,
    under `runs:/<run id>/<name>`.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    ready, digest = None, fingerprint(model)
    condition = f"source_run_id = '{run.info.run_id}' AND name = '{model.name}'"
    for found in client.search_logged_models([run.info.experiment_id], condition):
        if found.status == LoggedModelStatus.READY and found.tags.get(DIGEST_TAG) == digest:
            ready = found
        else:
            client.delete_logged_model(found.model_id)
    if ready is None:
        ready = add_model(client, run, model.name, {DIGEST_TAG: digest}, lambda *place: _export(model, *place))
    outputs = run.outputs.model_outputs if run.outputs else []
    if all(output.model_id != ready.model_id for output in outputs):
        client.log_outputs(run.info.run_id, [LoggedModelOutput(ready.model_id, step=0)])


def _export(model: FullyConnectedModel, folder: Path, logged: Any) -> None:
    save_program(model.module(), folder, logged, [model.widths[:1], model.widths[-1:]])
