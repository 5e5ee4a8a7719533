"""Why a checkpoint cannot be used, before the sentence has its file's name."""

__all__ = ["FETCH_AGAIN", "Refusal"]

FETCH_AGAIN = "fetch it again"


class Refusal(ValueError):  # noqa: N818  # what is refused may be as it should be, such as another kind of file
    """A file is damaged, hostile or of another kind.

    Args:
        reason: continues "The model PATH ...".
        hint: what to do.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint
