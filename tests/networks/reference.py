"""The network of a cell written straight from the paper, as a function of its weights: the oracle of the tests."""

import torch
from torch.nn import functional


def reference_logits(cell, layout, state, images, training):
    def normalised(x, name):
        mean, variance = state[f"{name}.norm.running_mean"], state[f"{name}.norm.running_var"]
        x = functional.batch_norm(
            x, mean.clone(), variance.clone(), state[f"{name}.norm.weight"], state[f"{name}.norm.bias"], training
        )
        return x.clamp(min=0)

    def operation(kind, x, name):
        if kind == "conv1x1":
            return functional.conv2d(x, state[f"{name}.layer.weight"])
        if kind == "conv3x3":
            return functional.conv2d(x, state[f"{name}.layer.weight"], padding=1)
        x = functional.conv2d(x, state[f"{name}.layer.depthwise.weight"], padding=1, groups=x.shape[1])
        return functional.conv2d(x, state[f"{name}.layer.pointwise.weight"])

    x = functional.conv2d(images, state["stem.layer.weight"], stride=layout.stem_stride, padding=1)
    x = normalised(x, "stem")
    for stage in range(len(layout.stages)):
        tensors = [x if stage == 0 else functional.max_pool2d(x, 2, 2)]
        for vertex in range(1, cell.num_vertices):
            inputs = torch.cat([tensors[u] for u in range(vertex) if cell.adjacency[u, vertex]], dim=1)
            name = f"stages.{stage}.vertices.{vertex - 1}"
            tensors.append(normalised(operation(cell.operations[vertex], inputs, name), name))
        followed = {u for u in range(cell.num_vertices) if cell.adjacency[u].any()}
        x = torch.cat([tensor for v, tensor in enumerate(tensors) if v not in followed], dim=1)
    return functional.linear(x.mean(dim=(2, 3)), state["head.weight"], state["head.bias"])
