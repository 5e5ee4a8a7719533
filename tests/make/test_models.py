"""Models are imported under a name, converted exactly, and fetched with their hash."""

import threading
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from clavilux.errors import ModelError, OutputError
from clavilux.generator.generate import generate
from clavilux.generator.model import load_model, named_models
from clavilux.make import models
from clavilux.make.fetch import MAX_BYTES, fetch
from clavilux.make.models import convert_model, describe_model, draw_preview, import_model, user_models
from clavilux.make.workspace import NullReporter, Workspace
from clavilux.profile import survey

FILES = Path(__file__).parents[1] / "generator" / "data" / "checkpoints"
NAMES = sorted(path.name for path in FILES.iterdir() if path.suffix != ".npz")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(models=tmp_path / "models", engine=tmp_path / "cache" / "engine")


@pytest.mark.parametrize("name", NAMES)
def test_a_converted_model_draws_the_same(tmp_path, workspace, name):
    first = load_model(FILES / name)
    target = convert_model(str(FILES / name), tmp_path / "net.safetensors", workspace=workspace)
    second = load_model(target)
    assert second.network.config == first.network.config
    assert second.digest == first.digest
    assert second.card.extra["converted_from"] == name
    assert np.array_equal(generate(first, [0, 1]), generate(second, [0, 1]))


def test_an_imported_model_is_found_by_name(workspace):
    path = import_model(str(FILES / "ada32.pkl"), "mine", workspace=workspace)
    assert path.parent == workspace.models
    assert workspace.model("mine").digest == load_model(FILES / "ada32.pkl").digest
    ((name, found),) = user_models(workspace.models)
    assert (name, found.card["resolution"]) == ("mine", "32")
    assert Path(found.card["preview"]).is_file()
    with pytest.raises(OutputError, match="already"):
        import_model(str(FILES / "tf32.pkl"), "mine", workspace=workspace)
    import_model(str(FILES / "tf32.pkl"), "mine", workspace=workspace, overwrite=True)
    assert workspace.model("mine").digest == load_model(FILES / "tf32.pkl").digest
    with pytest.raises(ModelError, match="did you mean 'mine'"):
        workspace.model("minee")


@pytest.mark.parametrize("name", ["silk", "../up", "a/b", "", " ", "x" * 65])
def test_names_that_cannot_be(workspace, name):
    file = FILES / "tf32.pkl"
    if name:
        with pytest.raises(ModelError, match="cannot be named"):
            import_model(str(file), name, workspace=workspace)
    else:
        assert import_model(str(file), name, workspace=workspace).stem == "tf32"
    assert not (workspace.models / ".." / "up.safetensors").exists()


def test_checkpoints_in_the_folder_are_found_as_they_are(workspace):
    workspace.models.mkdir()
    (workspace.models / "dropped.pt").write_bytes((FILES / "rosinality32.pt").read_bytes())
    (workspace.models / "broken.pkl").write_bytes(b"\x80\x02N.")
    (workspace.models / "silk.pkl").write_bytes(b"another")
    assert list(named_models(workspace.models)) == ["broken", "dropped", "silk"]
    assert workspace.model("dropped").resolution == 32
    assert workspace.model("silk").resolution == 512  # the built-in one
    assert "cannot be used" in dict(user_models(workspace.models))["broken"].card["description"]


def test_what_is_known_of_a_model():
    path = FILES / "sg3r64_cond.pkl"
    about = describe_model(load_model(path), path)
    assert (about["family"], about["resolution"], about["classes"]) == ("StyleGAN3-R", 64, 4)
    assert about["noise"] == "none"
    assert about["file sha256"] == sha256(path.read_bytes()).hexdigest()
    assert "ask" in about["licence"]


class Counting(NullReporter):
    def __init__(self):
        self.stages, self.done = [], 0

    def begin(self, stage, total=None):
        self.stages.append((stage, total))

    def advance(self, count):
        self.done += count


@pytest.mark.parametrize(
    ("name", "slow"), [("ada32.pkl", False), ("sg3t64.pkl", False), ("sg3t64.pkl", True)]
)
def test_a_preview_is_a_strip_that_shows_its_progress(monkeypatch, name, slow):
    model, report = load_model(FILES / name), Counting()
    if slow:
        monkeypatch.setattr(survey, "SURVEY", replace(survey.SURVEY, cost=1e-3))
        monkeypatch.setattr(models, "preview_images", None)  # the whole of every image would take minutes
    strip = draw_preview(model, report)
    assert strip.size == (6 * 128, 128)
    assert np.asarray(strip).std() > 1
    assert (report.stages, report.done) == ([("Drawing a preview", 6)], 6)


ASKED = []


class Handler(BaseHTTPRequestHandler):
    """Serves checkpoints, one that ends early, one that is endless, and errors."""

    def do_GET(self):
        ASKED.append(self.path)
        name = self.path.rpartition("/")[2]
        content = (FILES / name).read_bytes() if name in NAMES else b"abc"
        known = name in NAMES or name in {"short", "huge"}
        self.send_response(200 if known else 404)
        lengths = {"short": 10, "huge": MAX_BYTES + 1}
        self.send_header("Content-Length", str(lengths.get(name, len(content))))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def digest(name):
    return sha256((FILES / name).read_bytes()).hexdigest()


def test_a_model_is_fetched_once(server, workspace):
    address = f"{server}/tf32.pkl#sha256={digest('tf32.pkl')}"
    ASKED.clear()
    for _ in range(2):
        assert workspace.model(address).digest == load_model(FILES / "tf32.pkl").digest
    assert ASKED == ["/tf32.pkl"]
    assert import_model(address, workspace=workspace).stem == "tf32"


def test_a_model_of_the_hub_is_fetched(server, workspace, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server)
    ASKED.clear()
    assert workspace.model("hf://some-one/nets@v1.0/deep/ada32.pkl").resolution == 32
    assert workspace.model("hf://some-one/nets/ada32.pkl").resolution == 32
    assert ASKED == [
        "/some-one/nets/resolve/v1.0/deep/ada32.pkl",
        "/some-one/nets/resolve/main/ada32.pkl",
    ]


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("/tf32.pkl#sha256=" + "0" * 64, "another file"),
        ("/tf32.pkl#sha256=12", "sha256"),
        ("/missing.pkl", "404"),
        ("/short", "ended after"),
    ],
)
def test_what_is_not_the_file_is_refused(server, tmp_path, place, word):
    with pytest.raises(ModelError, match=word):
        fetch(server + place, tmp_path / "f", NullReporter())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "address",
    ["http://example.org/net.pkl", "https://", "https://[x", "hf://one", "hf://a/b@../../c/net.pkl", "hf://"],
)
def test_addresses_that_cannot_be(tmp_path, address):
    with pytest.raises(ModelError, match="no address"):
        fetch(address, tmp_path, NullReporter())


def test_a_host_that_does_not_answer(tmp_path):
    with pytest.raises(ModelError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/net.pkl", tmp_path, NullReporter())
