"""Named things of one kind, such as operations: our own, and those that a user's packages add by entry points."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from nasgem_core.errors import NasgemError, ParameterError

if TYPE_CHECKING:  # a tenth of a second, which is spent when a thing is first asked for
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one kind by name. A thing's module is imported when the thing is first asked for.

    Args:
        kind: what one of them is called in messages, such as "operation".
        builtin: names of our own to their places, "module:attribute", in the order that lists show.
        group: entry-point group by which installed packages add more, such as "nasgem.operations".
        error: what an unknown name raises.
    """

    def __init__(
        self, kind: str, builtin: Mapping[str, str], group: str, error: type[NasgemError] = ParameterError
    ) -> None:
        self._kind, self._builtin, self._group, self._error = kind, dict(builtin), group, error
        self._added: dict[str, T] = {}
        self._loaded: dict[str, T] = {}

    def names(self) -> tuple[str, ...]:
        """Return all names: our own, then those of plug-ins, then those added in this process."""
        return tuple(dict.fromkeys([*self._builtin, *_plugins(self._group), *self._added]))

    def __contains__(self, name: object) -> bool:
        """Say whether there is a thing of that name; nothing is imported."""
        return name in self._builtin or name in self._added or name in _plugins(self._group)

    def get(self, name: str) -> T:
        """Return the thing of that name.

        Raises:
            NasgemError: there is none (of the class `error`), a plug-in has the name of another thing, or the plug-in
                cannot be imported. Only the name asked for is looked at: a faulty plug-in harms no one who does not
                use it.
        """
        if name in self._added:
            return self._added[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def add(self, name: str, thing: T) -> None:
        """Make a thing known in this process alone; it takes the place of another of that name."""
        self._added[name] = thing

    def module_of(self, name: str) -> str | None:
        """Return the dotted name of the module that defines a thing, None where it was added in this process.

        Raises:
            NasgemError: as `get` does, but nothing is imported.
        """
        if name in self._added:
            return None
        point = self._plugin(name)
        return point.module if point else self._builtin[name].partition(":")[0]

    def _load(self, name: str) -> T:
        point = self._plugin(name)
        if point is None:
            module, _, attribute = self._builtin[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        try:
            return point.load()
        except Exception as error:  # a user's package can fail with any error
            raise NasgemError(
                f"{self._kind} {name!r} of the package {_owner(point)} cannot be loaded ({error!r}): "
                "fix or uninstall that package"
            ) from error

    def _plugin(self, name: str) -> "EntryPoint | None":
        """Return the entry point of a plug-in's thing, None for one of our own."""
        points = _plugins(self._group).get(name, ())
        owners = [*(["nasgem"] if name in self._builtin else []), *map(_owner, points)]
        if not owners:
            raise self._error(f"unknown {self._kind} {name!r}: known are {', '.join(self.names())}")
        if len(owners) > 1:
            raise NasgemError(
                f"{self._kind} {name!r} is in {' and in '.join(owners)}: a name must mean one thing; rename it in the "
                f"package {owners[-1]}, or uninstall that package"
            )
        return points[0] if points else None


def modules_in(package: str, attribute: str) -> dict[str, str]:
    """Return a place for each module of a package, by the module's name: the attribute that each of them defines."""
    folder = importlib.import_module(package).__path__
    return {module.name: f"{package}.{module.name}:{attribute}" for module in pkgutil.iter_modules(folder)}


def plugin_packages() -> tuple[str, ...]:
    """Return the names under which installed plug-ins of any kind are imported, such as "my_operations", sorted."""
    from importlib.metadata import distributions

    points = [point for package in distributions() for point in package.entry_points]
    return tuple(sorted({p.module.partition(".")[0] for p in points if p.group.startswith("nasgem.")}))


@cache
def _plugins(group: str) -> "dict[str, tuple[EntryPoint, ...]]":
    """Return the entry points of a group by name, sorted; the installed packages are searched once per process."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, _owner(point))):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def _owner(point: "EntryPoint") -> str:
    return point.dist.name if point.dist else point.module
