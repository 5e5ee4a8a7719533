"""Why a checkpoint cannot be used, before the sentence has its file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clavilux.errors import ModelError

__all__ = ["FETCH_AGAIN", "OTHERS", "Missing", "Refusal", "explained", "laid_out", "shown"]

FETCH_AGAIN = "fetch it again"
OTHERS = "StyleGAN 1 to 3, StyleGAN-XL, projected GANs and R3GAN are read"


class Refusal(ValueError):  # noqa: N818  # what is refused may be as it should be, such as another kind of file
    """A file is damaged, hostile or of another kind.

    Args:
        reason: continues "The model PATH ...".
        hint: what to do.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


class Missing(Refusal):
    """A file lacks what others of its family have.

    Args:
        what: a whole sentence, such as 'its Generator has no mapping'.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"is damaged: {what}", FETCH_AGAIN)
        self.what = what


@contextmanager
def laid_out(family: str) -> Iterator[None]:
    """Say of a file that lacks something that it is one of its family, but of another layout.

    Raises:
        Refusal: it lacks something.
    """
    try:
        yield
    except Missing as missing:
        raise Refusal(f"is {family} of a layout that is not known: {missing.what}", OTHERS) from missing
    except (LookupError, TypeError, AttributeError) as error:
        raise Refusal(f"is {family} of a layout that is not known", OTHERS) from error


def shown(value: object, length: int = 40) -> str:
    """Return a plain value of a file as a few letters of text, and of any other its type alone.

    Containers may hold themselves many times over, so that their text, like their hash, would never end.

    >>> shown("selu"), shown(("a", "b"))
    ("'selu'", 'a tuple')
    """
    if value is None or isinstance(value, str | int | float):
        return ascii(value[:length] if isinstance(value, str) else value)[:length]
    return f"a {type(value).__name__}"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a refusal into the sentence that names its file.

    Whatever else a reader stumbles over, in a file that claims to be what it is not, is damage too.

    Raises:
        ModelError: the file was refused.
    """
    try:
        yield
    except Refusal as refusal:
        what = f"The model {path} {refusal.reason}"
        raise ModelError(what, where=str(path), hint=refusal.hint) from refusal
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        what = f"The model {path} is damaged: it has something else where weights should be"
        raise ModelError(what, where=str(path), hint=FETCH_AGAIN) from error
    except MemoryError as error:
        what = f"The model {path} claims more memory than there is"
        raise ModelError(what, where=str(path), hint=FETCH_AGAIN) from error
