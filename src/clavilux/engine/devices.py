"""The devices that there are here; PyTorch is imported only where the system may have a card."""

import sys
from pathlib import Path

from clavilux.errors import EngineError

__all__ = ["choose_device", "devices"]

DRIVERS = tuple(map(Path, ("/dev/nvidiactl", "/dev/nvmap", "/dev/kfd", "/dev/dxg")))
"""What drivers make on Linux, of NVIDIA, Tegra and AMD, and in Windows' subsystem; there are no others."""


def choose_device(name: str = "auto") -> str:
    """Resolve a device's name to one that is here: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.

    Raises:
        EngineError: there is no such device here.

    >>> choose_device("cpu")
    'cpu'
    """
    if name == "cpu":
        return name
    there = devices()
    if name == "auto":
        return there[0]
    if name not in there:
        raise EngineError(
            f"There is no device '{name}' here",
            where="device",
            value=name,
            hint=f"there is {', '.join(there)}",
            remedy="device",
        )
    return name


def devices() -> list[str]:
    """List the devices here, the fastest first.

    >>> devices()[-1]
    'cpu'
    """
    if sys.platform == "linux" and not any(driver.exists() for driver in DRIVERS):
        return ["cpu"]
    import torch  # takes two seconds and 190 MB

    cards = [f"cuda:{k}" for k in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [
        *(["cuda", *cards] if cards else []),
        *(["mps"] if torch.backends.mps.is_available() else []),
        "cpu",
    ]
