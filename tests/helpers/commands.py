"""The command line as a user types it."""

import pytest

from clavilux.cli import main

__all__ = ["run"]


def run(*arguments):
    """Run a command; return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code
