import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_dvc_is_followed_before_anything_slow_is_imported():
    code = (
        "import sys\nimport flows.cli.app as app\n"
        "app.follow_dvc = lambda: sys.exit(' '.join({'typer', 'numpy', 'rich'} & set(sys.modules)) or 'early')\n"
        "app.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == "early\n"


def test_the_commands_are_run():
    command = [sys.executable, "-m", "flows.cli.app", "search", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Run the whole search, and show what it found" in done.stdout
