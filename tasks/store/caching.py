"""Prefect's task cache, made safe to rely on: no stale result, no pickle, no torn record.

The key of a cached task is a fingerprint of its inputs and of the source it depends on (the task's module and all our
code that it imports), so a change in a helper redoes the work. A cached task is pure: plain values in, plain values
out; steps that are not cached write files and log.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, Task, flow, task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.settings import get_current_settings

from nasgem_core.errors import DataError
from tasks.store.fingerprint import fingerprint, source_fingerprint
from tasks.store.mirror import fetch_record, send_missing_record
from tasks.store.record_folder import RECORDS, RecordFolder
from tasks.store.serialization import PlainSerializer

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class SourcePolicy(CachePolicy):
    """Key = the task's name, its inputs, and the source it depends on."""

    source: str = ""
    """Fingerprint of that source, taken when it is imported: it may be edited while it runs."""

    def key(self, name: str, inputs: dict[str, Any]) -> str:
        """Return the cache key, which is also the record's file name."""
        return f"{name.replace(' ', '-')}-{fingerprint([self.source, inputs])}"

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the key of one task run; moves a record that cannot be trusted out of the way first."""
        key = self.key(task_ctx.task.name, inputs)
        # Before Prefect reads it, and not while it does: what comes from a store is looked at like any other record.
        fetch_record(RECORDS / key)
        _drop_foreign_record(RECORDS / key)
        return key


@dataclass
class UnkeptPolicy(SourcePolicy):
    """Keeps no record: what the task makes is kept otherwise, such as in checkpoints."""

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> None:
        """Return None: there is no record."""


def unkept_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a Prefect task without records, which workers run if they have equal source."""

    def wrap(function: Callable[P, R]) -> Task[P, R]:
        made: Any = task(name=name, persist_result=False)(function)
        made.cache_policy = UnkeptPolicy(source=source_fingerprint(function.__module__))  # Prefect would drop it
        return made

    return wrap


def cached_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a pure function a Prefect task that is run once for equal inputs and equal source, through any flow."""

    def wrap(function: Callable[P, R]) -> Task[P, R]:
        made = task(
            name=name,
            cache_policy=SourcePolicy(source=source_fingerprint(function.__module__)),
            persist_result=True,
            result_serializer=PlainSerializer(),
            cache_result_in_memory=False,
        )(function)
        made.result_storage = RecordFolder()  # the decorator takes only storage that a server knows
        return made

    return wrap


def plain_flow(name: str, run_name: str | Callable[[], str] | None = None) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Make a function a Prefect flow that keeps no result: Prefect would pickle what a flow or its tasks raise.

    Args:
        name: of the flow.
        run_name: of a run, or what makes it; by default Prefect makes one up.
    """
    made = flow(name=name, persist_result=False, result_storage=RECORDS, result_serializer=PlainSerializer())
    return lambda function: made(function).with_options(flow_run_name=run_name) if run_name else made(function)


def is_cached(cached: Task[..., Any], **inputs: Any) -> bool:
    """Say whether a cached task would be read from its record, without running it or starting a worker."""
    policy = cached.cache_policy
    if not isinstance(policy, SourcePolicy):
        raise TypeError(f"{cached.name} was not made by cached_task")
    if isinstance(policy, UnkeptPolicy):
        return False
    if get_current_settings().tasks.refresh_cache:
        return False
    path = RECORDS / policy.key(cached.name, inputs)
    fetch_record(path)
    known = _is_own_record(path)
    if known:
        send_missing_record(path)
    return known


def _is_own_record(path: Path) -> bool:
    """Whether a file is a whole record of ours. Prefect would follow a record to whatever serializer it names."""
    try:
        record = json.loads(RecordFolder().read_path(path.name))
        if record["metadata"]["serializer"]["type"] != PlainSerializer().type:
            return False
        PlainSerializer().loads(record["result"].encode())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError):
        return False
    return True


def _drop_foreign_record(path: Path) -> None:
    if path.is_file() and not _is_own_record(path):
        path.replace(path.with_name(f"{path.name}.refused"))
