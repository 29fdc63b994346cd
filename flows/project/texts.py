"""What is written into the files of a new project."""

from flows.runtime.environment import STATE
from flows.stages.dvc_file import git_ignored

DVC_CONFIG = f"""\
[core]
    analytics = false
    autostage = false
    site_cache_dir = {STATE}/dvc
"""
DVC_IGNORED_BY_GIT = "/config.local\n/tmp\n/cache\n"
DVC_IGNORE = f"__pycache__\n*.pyc\n.venv\n{STATE}\n*.tmp\n"
GIT_IGNORE = git_ignored(
    f"/.venv\n__pycache__/\n*.tmp\n/dvc_plots/\n/{STATE}/\n/data/comparison/\n/data/latency/\n/data/selection/\n/data/metrics/\n/data/headlines/\n/data/raw/\n"
    "/data/tables/*.parquet\n"
)
"""As in the repository; `data/raw` has nothing but downloads here."""
TABLES = "Tables of measured cells that `nasgem benchmark import` has read.\n"
_README = """\
# {name}

A search for small image networks with nasgem; made by `nasgem init`.

- `nasgem search` runs it with `params.yaml`{images}. Run it again to go on after a stop or a change.
- `data/report/report.html` has the results, `nasgem status` lists what is there, `nasgem --help` the commands.
- `nasgem export imagenet@champion --output app` writes the best trained network for use without nasgem.
- `dvc repro` runs only what has changed; `dvc status` says what that is.
- To keep a version: `git add --all`, then `git commit`. Data and results are in DVC's cache, `dvc push` shares them.
"""


def dvc_config_here(state: str) -> str:
    """Return DVC's settings for this place: the full path of its cache of hashes, for `dvc` typed in a folder below."""
    return f"[core]\n    site_cache_dir = {state}/dvc\n"


def readme(name: str, images: str) -> str:
    """Return the README of a project of that name, with the folder of its images, or "" for the bundled ones."""
    return _README.format(name=name, images=f" on the images in `{images}`" if images else " on bundled images")
