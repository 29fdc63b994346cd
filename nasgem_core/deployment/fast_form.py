"""The form of a network that is deployed: equal to the trained one, and faster."""

from torch import nn

from nasgem_core.deployment.standalone.fast import made_fast, traced

TORCH, CUDA_GRAPH, ONNX_RUNTIME = "torch", "cuda_graph", "onnxruntime"
ENGINES = (TORCH, CUDA_GRAPH, ONNX_RUNTIME)
"""What can run a network when its latency is measured; the second is PyTorch, replayed on a GPU as a CUDA graph."""


def fast_form(network: nn.Module, engine: str = TORCH) -> nn.Module:
    """Return a network for inference that gives the same as `network` in evaluation mode, in less time.

    It is the network itself where torch.fx cannot trace it, as when an operation of a package looks at its values.

    Args:
        network: the network.
        engine: the one of `ENGINES` that the form is for.
    """
    try:
        graph = traced(network)
    except Exception:  # tracing runs the network's own code, which may fail in any way
        return network.eval()
    return made_fast(graph, grouped=engine != ONNX_RUNTIME)
