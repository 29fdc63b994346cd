import numpy as np
import onnx

from nasgem_core.deployment.forms.onnx import FORM


def test_a_file_is_run_with_its_inputs_in_their_order(tmp_path):
    """Files that an export writes are run in `tests/deployment/test_export.py`: converting one takes seconds."""
    scores, threshold, above = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("scores", [3]), ("threshold", []), ("above", [3]))
    )
    node = onnx.helper.make_node("Sub", ["scores", "threshold"], ["above"])
    graph = onnx.helper.make_graph([node], "above", [scores, threshold], [above])
    opset = onnx.helper.make_opsetid("", 20)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), tmp_path / FORM.file)
    (found,) = FORM.detector.run(tmp_path / FORM.file, np.array(0.25, np.float32))(np.ones(3, np.float32))
    assert found.tolist() == [0.75, 0.75, 0.75]
