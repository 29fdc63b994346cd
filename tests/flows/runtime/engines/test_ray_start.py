import subprocess
import sys

import pytest


@pytest.mark.slow
def test_it_is_rays_own_command():
    command = [sys.executable, "-m", "flows.runtime.engines.ray_start", "--version"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "version" in shown.stdout
