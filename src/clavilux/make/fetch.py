"""Fetches a checkpoint from an address, and checks that it is the one that was meant.

An address is `https://HOST/FILE` or `hf://OWNER/REPOSITORY@REVISION/FILE`, with `#sha256=HEX` at its end
where the file's hash is known. What was fetched is kept, and fetched again only where it is gone.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import IO, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

from clavilux.errors import ModelError, one_line
from clavilux.files import atomic, fitting_name, is_file, write_error

__all__ = ["fetch", "is_remote"]

SCHEMES = ("https://", "http://", "hf://")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
MAX_BYTES = 4 * 2**30
BLOCK_BYTES = 2**20
TIMEOUT_SECONDS = 30
HUB = "https://huggingface.co"
HUB_ADDRESS = re.compile(r"hf://([\w.-]+)/([\w.-]+?)(?:@([\w./-]+?))?/([\w.@ +/-]+)")
DIGEST = re.compile(r"sha256=([0-9a-f]{64})")


class _Reporter(Protocol):
    def begin(self, stage: str, total: int | None = None) -> None:
        """Note that a stage begins."""


def is_remote(name: str) -> bool:
    """Return whether a model's name is an address.

    >>> is_remote("https://example.org/net.pkl"), is_remote("silk")
    (True, False)
    """
    return name.startswith(SCHEMES)


def fetch(address: str, folder: Path | None, report: _Reporter) -> Path:
    """Fetch a file, or find it where it was fetched before.

    Args:
        address: see above.
        folder: where fetched files are kept; a temporary one where there is none.
        report: is informed.

    Returns:
        the file, named as at its address.

    Raises:
        ModelError: an address that cannot be read, a host that does not answer, a file too large or with
            another hash.
        OutputError: it cannot be written.
    """
    url, wanted = _parse(address)
    name = unquote(urlsplit(url).path.rpartition("/")[2]) or "model"
    folder = folder or Path(tempfile.gettempdir()) / "clavilux-fetched"
    path = folder / sha256(f"{url} {wanted}".encode()).hexdigest()[:16] / fitting_name(Path(name).name, "")
    if is_file(path):
        return path
    report.begin("Fetching the model")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path, shared=True) as part:
            with _opened(address, url) as answer, part.open("wb") as file:
                found = _copy(address, answer, file)
            if wanted and found != wanted:
                raise ModelError(
                    f"The model {address} is another file than was meant: its sha256 is {found}",
                    where="model",
                    value=address,
                    hint="check the address and the hash",
                )
    except OSError as error:
        raise write_error(path, error) from error
    return path


def _parse(address: str) -> tuple[str, str]:
    """Return an address's URL and the hash it names, if any."""
    place, mark, fragment = address.partition("#")
    digest = DIGEST.fullmatch(fragment.lower())
    if mark and digest is None:
        raise _unreadable(address, "after # it has no sha256=, with 64 digits")
    if place.startswith("hf://"):
        found = HUB_ADDRESS.fullmatch(place)
        if found is None or ".." in place.split("/"):
            raise _unreadable(address, "write hf://OWNER/REPOSITORY@REVISION/FILE")
        owner, repository, revision, file = found.groups()
        hub = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
        place = f"{hub}/{owner}/{repository}/resolve/{revision or 'main'}/{quote(file)}"
    try:
        host = urlsplit(place).hostname
    except ValueError:
        host = None
    if not host or (place.startswith("http://") and host not in LOCAL_HOSTS):
        raise _unreadable(address, "write https://HOST/FILE")
    return place, digest[1] if digest else ""


def _unreadable(address: str, hint: str) -> ModelError:
    return ModelError(f"'{address[:200]}' is no address of a model", where="model", value=address, hint=hint)


@contextmanager
def _opened(address: str, url: str) -> Iterator[IO[bytes]]:
    try:
        with urlopen(Request(url, headers={"User-Agent": "clavilux"}), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # checked by _parse
            if answer.geturl().startswith("http://") and not url.startswith("http://"):
                raise _failed(address, "it leads to an address without encryption")
            yield answer
    except HTTPError as error:
        raise _failed(address, f"the server answers {error.code} {error.reason}") from error
    except URLError as error:
        raise _failed(address, str(error.reason)) from error
    except (TimeoutError, ConnectionError, HTTPException) as error:
        raise _failed(address, str(error) or type(error).__name__) from error


def _failed(address: str, reason: str) -> ModelError:
    what = one_line(f"The model {address} cannot be fetched ({reason})")
    return ModelError(what, where="model", value=address, hint="check the address and the connection")


def _copy(address: str, answer: IO[bytes], file: IO[bytes]) -> str:
    """Copy an answer to a file, and return its hash."""
    digest, size = sha256(), 0
    while block := answer.read(BLOCK_BYTES):
        size += len(block)
        if size > MAX_BYTES:
            raise _failed(address, f"it is larger than {MAX_BYTES >> 30} GB")
        digest.update(block)
        file.write(block)
    length = getattr(answer, "headers", {}).get("Content-Length")
    if length and length.isdigit() and int(length) != size:
        raise _failed(address, f"it ended after {size:,} of {int(length):,} bytes")
    return digest.hexdigest()
