"""The machine that does the work: where frames are drawn, and how precisely."""

from dataclasses import dataclass

from clavilux.project.setting import setting

__all__ = ["Machine"]


@dataclass(frozen=True)
class Machine:
    """Where and how frames are drawn.

    Attributes:
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: auto is as fast as looks the same, exact is float32 throughout.
    """

    device: str = setting("auto", "Where to draw: auto, cpu, cuda, cuda:1, mps.", placeholder="NAME")
    precision: str = setting(
        "auto", "auto is as fast as looks the same; exact is 32 bits throughout.", placeholder="NAME"
    )
