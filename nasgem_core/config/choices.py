"""Named things of the rooms above that parameters choose among; none of them is imported here."""

from typing import Any

from nasgem_core.registry import Registry, modules_in

OBJECTIVES: Registry[Any] = Registry(
    "objective", modules_in("nasgem_core.search.objectives", "OBJECTIVE"), "nasgem.objectives"
)
"""What the efficiency score can charge: sub-classes of `nasgem_core.search.objective.Objective`."""
