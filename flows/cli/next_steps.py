"""What to do after a search: commands to copy, with the key of the chosen cell."""

from pathlib import Path

from flows.cli.printing import out
from nasgem_core.config.search import SearchConfig
from nasgem_core.counts import count_text
from tasks.stages.imagenet import FOLDER
from tasks.stages.imagenet_networks import FIRST_GEMNET, GEMNET
from tasks.stages.imagenet_table import read_networks

_BUILT, _EXPORTED = "network.json", "exported"


def next_steps(key: str, config: SearchConfig) -> dict[str, str]:
    """Return commands that build, train, export, try and compare the chosen network, as far as that is not done.

    The last one compares the search with random search.

    Each is under the word for what it does.

    Args:
        key: first digits of the key of the chosen cell.
        config: parameters of the search.
    """
    gemnet, imagenet = config.gemnet, config.imagenet
    wanted = config.score.budget if config.score.objective == "macs" else ""
    built = wanted or count_text(gemnet.macs[0])
    trained_macs = wanted or count_text(next(filter(None, imagenet.macs), gemnet.macs[0]))
    shape = f"--layout {gemnet.layout} --image-size {gemnet.image_size}"
    expected = GEMNET if any(imagenet.macs) else FIRST_GEMNET
    trained = next((name for name in read_networks()[0] if name.startswith(GEMNET)), "")
    named = any(name.startswith(GEMNET) for name in imagenet.networks)
    networks = "" if named else f" --set imagenet.networks=[{','.join([GEMNET, *imagenet.networks])}]"
    images = "" if imagenet.dataset else f" --set imagenet.dataset={_own_images(config)}"
    compared = "" if imagenet.dataset else f" --images {_own_images(config)}"
    steps = {
        "build": f"nasgem build {key} --macs {built} {shape} --output {_BUILT}",
        "train": f"nasgem stage imagenet{images}{networks}",
        "export": f"nasgem export {FOLDER / f'{trained or expected}-0.safetensors'} --output {_EXPORTED}",
        "try": f"nasgem predict photo.jpg --model {_EXPORTED}",
        "compare": f"nasgem compare {key} --macs {trained_macs}{compared}",
    }
    if trained:
        del steps["build"], steps["train"]  # both are done
    if not config.bootstrap.baseline:
        steps["check"] = "nasgem search --set bootstrap.baseline=true  # also trains as many random cells"
    return steps


def _own_images(config: SearchConfig) -> str:
    """Return the folder of the images of the search, or a name to put one's own folder in place of."""
    return config.proxy.dataset if Path(config.proxy.dataset).is_dir() else "FOLDER"


def print_next_steps(key: str, config: SearchConfig) -> None:
    """Print the commands."""
    out.print(f"\nNext, with the chosen cell {key}:")
    for what, command in next_steps(key, config).items():
        out.print(f"  {what:<9}{command}", soft_wrap=True)
