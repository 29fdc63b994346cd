import pytest

from nasgem_core.deployment import form
from nasgem_core.deployment.form import FORMS, INT8_FILE, ONNX_APP, OWN_FORMS, form_files, forms_named
from nasgem_core.errors import NasgemError, ParameterError


def test_forms_have_the_names_of_their_modules():
    assert [known.name for known in forms_named()] == list(OWN_FORMS) == ["onnx", "python", "torch"]
    assert [known.name for known in forms_named(["torch", "onnx", "torch"])] == ["torch", "onnx"]
    assert form_files() == {"network.py", "network.pt2", "network.onnx", INT8_FILE, ONNX_APP}
    with pytest.raises(ParameterError, match="unknown form 'keras': known are onnx, python, torch"):
        forms_named(["torch", "keras"])


def test_a_broken_plugin_has_written_no_file(monkeypatch):
    def get(name):
        if name == "onnx":
            raise NasgemError("the package is broken")
        return known[name]

    known = {name: FORMS.get(name) for name in FORMS.names()}
    monkeypatch.setattr(form.FORMS, "get", get)
    assert form_files() == {"network.py", "network.pt2", INT8_FILE, ONNX_APP}
