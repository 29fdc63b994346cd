"""The kernel-guided autoencoder (paper 3.1, Eq. 2-4): the model and its losses.

Encoder E and decoder D are fully connected ReLU networks on the feature vector of
`nasgem_core.encoders.features`. A plain autoencoder is the same model fitted with similarity weight 0.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasgem_core.config.search import EncoderConfig
from nasgem_core.encoders.features import num_edge_slots, num_features


class Autoencoder(nn.Module):
    """Encoder E: [B, F] -> [B, d] and decoder D: [B, d] -> [B, F] logits.

    Args:
        vertices: n, the number of vertices that the feature vector has room for.
        num_operations: number of operations to choose from.
        config: widths of E (hidden layers, then d); D has them in reverse.
    """

    def __init__(self, vertices: int, num_operations: int, config: EncoderConfig) -> None:
        super().__init__()
        self.vertices = vertices
        self.num_operations = num_operations
        widths = [num_features(vertices, num_operations), *config.hidden, config.dimension]
        self.encoder = _fully_connected(widths)
        self.decoder = _fully_connected(widths[::-1])

    def encode(self, features: Tensor) -> Tensor:
        """Return the embeddings E(A), [B, d]."""
        return self.encoder(features)

    def decode(self, embeddings: Tensor) -> Tensor:
        """Return D(g), [B, F]: logits of the edges, then of the operation classes of each vertex."""
        return self.decoder(embeddings)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return embeddings and reconstruction, E(A) and D(E(A))."""
        embeddings = self.encode(features)
        return embeddings, self.decode(embeddings)

    def split(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Split features or logits [B, F] into edges [B, n(n-1)/2] and operations [B, n-1, operations + 1]."""
        slots = num_edge_slots(self.vertices)
        return vectors[:, :slots], vectors[:, slots:].unflatten(1, (self.vertices - 1, self.num_operations + 1))

    def reconstruction_loss(self, features: Tensor, logits: Tensor) -> Tensor:
        """Return L_r of Eq. 4, averaged over cells.

        Binary cross-entropy averaged over edge slots, plus cross-entropy averaged over the vertices after the input,
        where an absent vertex is a class of its own.
        """
        edges, operations = self.split(features)
        edge_logits, operation_logits = self.split(logits)
        edge_loss = functional.binary_cross_entropy_with_logits(edge_logits, edges)
        operation_loss = functional.cross_entropy(operation_logits.flatten(0, 1), operations.flatten(0, 1))
        return edge_loss + operation_loss


def embedding_similarity(left: Tensor, right: Tensor) -> Tensor:
    """Return S_e of Eq. 2, the cosine of paired rows: [P, d] and [P, d] -> [P]."""
    return functional.cosine_similarity(left, right, dim=1)


def similarity_loss(left: Tensor, right: Tensor, similarity: Tensor) -> Tensor:
    """Return L_s of Eq. 3 averaged over pairs: (S_e - S_g)^2 with the kernel similarity S_g, [P]."""
    return functional.mse_loss(embedding_similarity(left, right), similarity)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all linear layers (He et al. 2015), set biases to zero; no global random state is used."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            with torch.no_grad():
                layer.weight.normal_(0.0, math.sqrt(2.0 / layer.in_features), generator=generator)
                layer.bias.zero_()


def _fully_connected(widths: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        if i:
            layers.append(nn.ReLU())
        layers.append(nn.utils.skip_init(nn.Linear, inputs, outputs))
    return nn.Sequential(*layers)
