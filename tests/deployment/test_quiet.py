import logging
import warnings

import pytest

from nasgem_core.deployment.quiet import quiet


def speak():
    print("printed")
    warnings.warn("warned", stacklevel=1)
    logging.getLogger("foreign").warning("logged")


def test_nothing_is_heard_and_errors_pass(capfd, caplog):
    with pytest.raises(ValueError, match="a fault"), quiet():
        speak()
        raise ValueError("a fault")
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


def test_afterwards_everything_is_heard_again(capfd, caplog):
    with quiet():
        pass
    with pytest.warns(UserWarning, match="warned"):
        speak()
    assert capfd.readouterr().out == "printed\n" and "logged" in caplog.text
