"""The name of a device: a table of latencies means nothing without it."""

import platform
import re
from pathlib import Path

import torch


def device_name(device: str) -> str:
    """Return a device's kind and model, such as "cpu (Intel Xeon 2.20GHz)"."""
    kind = torch.device(device).type
    model = torch.cuda.get_device_name(device) if kind == "cuda" else _processor() if kind == "cpu" else ""
    return f"{device} ({model})" if model else device


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return " ".join(match[1].split()) if match else platform.processor() or platform.machine()
