"""Draw the surveys that come with the built-in models, so that a first video need not wait for them.

python tools/builtin/survey.py silk glass
"""

import sys

import numpy as np

from clavilux.generator.model import BUILTIN, load_model
from clavilux.profile.survey import key_of, survey
from clavilux.store import Store

__all__ = ["main"]


def main(names: list[str]) -> None:
    """Draw the surveys of some built-in models anew."""
    for name in names:
        path = BUILTIN / f"{name}-survey.npz"
        path.unlink(missing_ok=True)
        model = load_model(name)
        drawn = survey(model, Store())
        np.savez_compressed(
            path, key=np.array(key_of(model)), ws=drawn.ws, lab=drawn.lab, energy=drawn.energy
        )


if __name__ == "__main__":
    main(sys.argv[1:])
