"""The order in which `nasgem --help` lists the commands: as a newcomer needs them."""

import typer
from typer.core import TyperGroup

ORDER = (
    *("init", "search", "status", "show", "select", "export", "predict", "detect", "build", "compare", "latency"),
    *("compare-searches", "stage", "data", "serve", "benchmark", "gpu", "scheduler", "worker", "store"),
)


class OrderedCommands(TyperGroup):
    """Commands in this order, not in that of the modules that define them."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of all commands in the order in which help lists them."""
        return sorted(self.commands, key=ORDER.index)
