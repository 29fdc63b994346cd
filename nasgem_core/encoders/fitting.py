"""Fitting the autoencoder to pairs of cells and their kernel similarities (paper 3.1, Eq. 4)."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from nasgem_core.config.search import EncoderConfig
from nasgem_core.cosine import cosine_decay
from nasgem_core.encoders.autoencoder import Autoencoder, embedding_similarity, initialise, similarity_loss
from nasgem_core.encoders.features import cell_features
from nasgem_core.encoders.fitted import CHUNK, CurvePoint, EncoderReport, FittedEncoder
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.kernel.pairs import Pairs
from nasgem_core.seeding import derive_seed

CURVE_POINTS = 20
"""Points of the losses' curve, and reports of progress."""


def fit_encoder(
    pairs: Pairs,
    similarity: np.ndarray,
    config: EncoderConfig,
    seed: int,
    *,
    device: str = "cpu",
    on_progress: Callable[[int, dict[str, float]], None] | None = None,
) -> FittedEncoder:
    """Minimise Eq. 4 over the pairs, by Adam with a cosine learning rate; some pairs are held out to measure quality.

    Args:
        pairs: P pairs of cells of one search space.
        similarity: [P] kernel similarities S_g in [0, 1].
        config: widths, loss weights and optimiser.
        seed: root of the holdout, the initial weights and the order of the pairs.
        device: where to compute; on "cpu" the result is reproducible to the byte.
        on_progress: called about 20 times with the number of steps done and the latest losses.

    Raises:
        DataError: `similarity` does not match the pairs, or there are too few pairs.
        ParameterError: the loss stopped being finite.
    """
    _check(pairs, similarity)
    vertices, names = pairs.left.width, pairs.left.operation_names
    sides = [cell_features(order_vertices(side), vertices) for side in (pairs.left, pairs.right)]
    features = torch.from_numpy(np.stack(sides))
    features, targets = features.to(device), torch.from_numpy(np.float32(similarity)).to(device)
    held_out, train = split_pairs(len(pairs), config.holdout, seed)
    held_out_index = torch.from_numpy(held_out).to(device)

    model = Autoencoder(vertices, len(names), config)
    initialise(model, torch.Generator().manual_seed(derive_seed(seed, "weights")))
    model.to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    batches = _batches(train, config.batch_size, derive_seed(seed, "order"))
    curve: list[CurvePoint] = []
    points = set(np.linspace(1, config.iterations, CURVE_POINTS, dtype=int).tolist())
    sums, last = torch.zeros(2, device=device), 0
    for step in range(1, config.iterations + 1):
        rate = config.learning_rate * cosine_decay(step - 1, config.iterations)
        for group in optimiser.param_groups:
            group["lr"] = rate
        index = torch.from_numpy(next(batches)).to(device)
        losses = _losses(model, features[:, index].flatten(0, 1).float(), targets[index], config)
        optimiser.zero_grad()
        (config.similarity_weight * losses[0] + config.reconstruction_weight * losses[1]).backward()
        optimiser.step()
        sums += losses.detach()
        if step in points:
            similar, reconstruction = (sums / (step - last)).tolist()
            held_out_loss = _similarity_loss(model, features, targets, held_out_index)
            if not all(map(math.isfinite, (similar, reconstruction, held_out_loss))):
                raise ParameterError(
                    f"encoder.learning_rate = {config.learning_rate}: the loss is not finite after {step} steps; "
                    "lower the learning rate"
                )
            curve.append(CurvePoint(step, similar, reconstruction, held_out_loss))
            sums, last = torch.zeros_like(sums), step
            if on_progress:
                on_progress(step, {"similarity_loss": similar, "held_out_similarity_loss": held_out_loss})

    report = _report(
        model,
        features,
        targets,
        train=torch.from_numpy(train).to(device),
        held_out=held_out_index,
        curve=tuple(curve),
    )
    weights = {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}
    return FittedEncoder(config, vertices, names, weights, report)


def split_pairs(count: int, holdout: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the held-out pairs, ascending, and of the training pairs, as `fit_encoder` splits them."""
    order = np.random.default_rng(derive_seed(seed, "holdout")).permutation(count)
    held_out, train = np.split(order, [max(2, round(holdout * count))])
    return np.sort(held_out), train


def _losses(model: Autoencoder, features: Tensor, similarity: Tensor, config: EncoderConfig) -> Tensor:
    """Return (L_s, L_r) of a batch with the left cells first, then the right cells; L_r is 0 if it has no weight."""
    embeddings = model.encode(features)
    left, right = embeddings.chunk(2)
    similar = similarity_loss(left, right, similarity)
    if config.reconstruction_weight == 0:
        return torch.stack([similar, torch.zeros_like(similar)])
    return torch.stack([similar, model.reconstruction_loss(features, model.decode(embeddings))])


def _batches(train: np.ndarray, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield index arrays endlessly: each pass visits the pairs in a new order and drops the incomplete last batch."""
    rng = np.random.default_rng(seed)
    size = min(batch_size, len(train))
    while True:
        order = rng.permutation(train)
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]


@torch.no_grad()
def _similarity_loss(model: Autoencoder, features: Tensor, targets: Tensor, index: Tensor) -> float:
    total = 0.0
    for part in index.split(CHUNK):
        left, right = (model.encode(side[part].float()) for side in features)
        total += float((embedding_similarity(left, right) - targets[part]).square().sum())
    return total / len(index)


@torch.no_grad()
def _report(
    model: Autoencoder,
    features: Tensor,
    targets: Tensor,
    *,
    train: Tensor,
    held_out: Tensor,
    curve: tuple[CurvePoint, ...],
) -> EncoderReport:
    right_edges = present = present_right = claimed = right_operations = 0
    classes = torch.zeros(model.num_operations + 1, dtype=torch.long, device=held_out.device)
    slots = vertices = 0
    for part in held_out.split(CHUNK // 2):
        vectors = features[:, part].flatten(0, 1)
        edges, operations = model.split(vectors)
        edge_logits, operation_logits = model.split(model(vectors.float())[1])
        claims = edge_logits > 0
        right_edges += int((claims == edges.bool()).sum())
        present += int(edges.sum())
        claimed += int(claims.sum())
        present_right += int((claims & edges.bool()).sum())
        right_operations += int((operation_logits.argmax(2) == operations.argmax(2)).sum())
        classes += operations.long().sum((0, 1))
        slots += edges.numel()
        vertices += operations.shape[0] * operations.shape[1]
    similarity = targets[held_out]
    loss = _similarity_loss(model, features, targets, held_out)
    recall_present = present_right / max(present, 1)
    recall_absent = (right_edges - present_right) / max(slots - present, 1)
    return EncoderReport(
        held_out_pairs=len(held_out),
        similarity_loss=loss,
        constant_similarity_loss=float((similarity - targets[train].mean()).square().mean()),
        r_squared=1.0 - loss / max(float(similarity.var(unbiased=False)), 1e-12),
        edge_accuracy=right_edges / slots,
        constant_edge_accuracy=1.0 - present / slots,
        edge_balanced_accuracy=(recall_present + recall_absent) / 2,
        edge_f1=2 * present_right / max(present + claimed, 1),
        operation_accuracy=right_operations / vertices,
        constant_operation_accuracy=int(classes.max()) / vertices,
        curve=curve,
    )


def _check(pairs: Pairs, similarity: np.ndarray) -> None:
    if similarity.shape != (len(pairs),):
        raise DataError(f"similarity has shape {similarity.shape} for {len(pairs)} pairs: give one number per pair")
    outside = np.flatnonzero(~((similarity >= 0) & (similarity <= 1 + 1e-6)))
    if len(outside):
        raise DataError(
            f"similarity[{outside[0]}] = {similarity[outside[0]]}: must be in [0, 1]; compute the kernel again"
        )
    if len(pairs) < 4:
        raise DataError(f"{len(pairs)} pairs are too few to fit on some and hold out others: give at least 4")
