"""Times things in turn, and writes what was measured as tables; run by itself, describes this machine."""

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["forget_peak", "must", "peak", "seconds", "table"]

PACKAGES = ("clavilux", "torch", "openvino", "numpy", "av")


def seconds(things: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Time things in turn, again and again, so that whatever disturbs disturbs all; the median of each, s."""
    for thing in things.values():
        thing()
    taken: dict[str, list[float]] = {name: [] for name in things}
    for _ in range(repetitions):
        for name, thing in things.items():
            began = time.perf_counter()
            thing()
            taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table, the first column left, the others right."""
    lines = [" | ".join(columns), " | ".join(["---"] + ["--:"] * (len(columns) - 1))]
    lines += [" | ".join(map(str, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def must(what: str, value: float, least: float, unit: str = "") -> str:
    """Say whether a figure is what it must be."""
    return f"- {'pass' if value >= least else 'MISS'}: {what} {value:.2f}{unit}, at least {least:g}{unit}"


def peak() -> float:
    """Return this process's peak of resident memory, on Linux since it was last forgotten, MB."""
    if sys.platform == "linux":  # where getrusage also knows the peak of the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def forget_peak() -> None:
    """Let the peak be counted from here, where the system can do that."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def machine() -> str:
    """Describe where and when figures were measured."""
    found = [
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} from elsewhere at the start",
        ", ".join(f"{name} {installed}" for name, installed in packages()),
        f"Python {platform.python_version()}, {platform.system()}, {datetime.now(UTC):%Y-%m-%d}",
    ]
    return "# Figures\n\nMedians of interleaved repetitions.\n\n" + "\n".join(f"- {line}" for line in found)


def processor() -> str:
    """Name the processor and what it has for numbers in half precision."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return platform.processor() or platform.machine()
    found = dict(
        (part.strip() for part in line.split(":", 1)) for line in path.read_text().splitlines() if ":" in line
    )
    has = [
        name
        for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
        if name in found.get("flags", "").split()
    ]
    return f"{found.get('model name', platform.machine())} ({', '.join(has) or 'no AVX'})"


def packages() -> list[tuple[str, str]]:
    """List the packages that matter, with their versions."""
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    print(machine())
