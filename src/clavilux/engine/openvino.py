"""Runs a program compiled by OpenVINO: the fastest way to draw on a processor.

The program is traced once, its shapes fixed, its convolutions thinned out where they stay float32, and
compiled; the result can be kept on disk under the hash of everything it depends on. Where the processor
computes in bfloat16, features do; styles and pixels stay float32.
"""

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import torch

from clavilux.engine.cache import Compiled, key
from clavilux.engine.runner import Array, Runner
from clavilux.engine.winograd import thin
from clavilux.errors import OutputError, SettingError
from clavilux.generator.program import FrameInputs, Program

__all__ = ["OpenVinoRunner", "Precision", "capabilities", "load_openvino"]

Precision = Literal["bf16", "f32"]

KEEP = {"name": "precise", "version": "0"}
"""The attribute by which OpenVINO leaves a node's precision alone, as its files have it."""


class OpenVinoRunner(Runner):
    """Draws frames with OpenVINO.

    Args:
        program: what to draw.
        batch: frames in one pass.
        precision: of the features; by default bf16 where the processor has it, else f32.
        cache: folder for compiled programs; without one nothing is kept.
        threads: processor cores to use; all unless given.

    Raises:
        SettingError: OpenVINO is not installed, or the processor has no bf16.
        OutputError: the temporary folder is full or missing (with bf16).

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
    >>> shapes = program.noise_shapes.items()
    >>> noise = {name: np.zeros((3, 1, *shape), np.float32) for name, shape in shapes}
    >>> inputs = FrameInputs(np.zeros((3, 16, 128), np.float32), noise, np.arange(3))
    >>> OpenVinoRunner(program, batch=2, precision="f32").run(inputs).shape
    (3, 64, 64, 3)
    """

    def __init__(
        self,
        program: Program,
        *,
        batch: int,
        precision: Precision | None = None,
        cache: Path | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(program, batch)
        self._ov = load_openvino()
        native = "BF16" in capabilities()
        if precision == "bf16" and not native:
            raise SettingError("This processor does not compute in bf16; choose --precision exact or auto.")
        self._precision: Precision = precision or ("bf16" if native else "f32")
        self.label = f"openvino {self._precision} on cpu"
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self._precision}
        if threads is not None:
            config["INFERENCE_NUM_THREADS"] = threads
        with self._memory():
            kept = Compiled(cache, key(program, batch, self._precision, self._ov.__version__))
            self.compiled = kept.fetch(self._ov.Core(), config, lambda: self._convert(program))
            self._request = self.compiled.create_infer_request()

    def _draw(self, inputs: FrameInputs, pixels: Array) -> None:
        scratch = np.empty((self.batch, *self._frame), self._dtype)
        for place, arrays in self._passes(inputs):
            count = place.stop - place.start
            whole = pixels[place] if count == self.batch else scratch
            self._request.set_output_tensor(0, self._ov.Tensor(whole, shared_memory=True))
            self._request.infer(arrays, share_inputs=True, share_outputs=True)
            if whole is scratch:
                pixels[place] = scratch[:count]

    def _convert(self, program: Program) -> Any:
        """Turn the program into an OpenVINO model of fixed shapes."""
        shapes = [(*self._latents,), *((1, *shape) for shape in self._layers.values()), ()]
        one = [torch.zeros(1, *shape) for shape in shapes[:-1]]
        example = (one[0], one[1:], torch.zeros(1, dtype=torch.int64))
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                program.eval(), example, check_trace=False
            )
            model = self._ov.convert_model(traced, example_input=example)
        fixed = [self._ov.PartialShape([self.batch, *shape]) for shape in shapes]
        model.reshape(dict(zip(model.inputs, fixed, strict=True)))
        if self._precision == "f32":
            thin(model)
            return model
        return keep_precise(model)


def keep_precise(model: Any) -> Any:
    """Mark what must stay float32 under a lower precision of the features.

    Those are styles, demodulation and pixels: whatever is no layer of features. Colours are mixed in the
    features' precision: float32 takes a seventh longer there and comes no nearer to the truth. Python cannot
    set the mark, so the model is written out, marked as text and read back.

    Returns:
        the marked model.

    Raises:
        OutputError: the temporary folder is full or missing.
    """
    kept = {node.get_friendly_name() for node in model.get_ordered_ops() if _is_precise(node)}
    try:
        text, weights = _written(model)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it seems to be full"
        raise OutputError(
            f"The network cannot be made ready in the temporary folder '{tempfile.gettempdir()}'"
            f" ({reason}); free some space there or set TMPDIR to another folder."
        ) from error
    tree = ElementTree.fromstring(text)  # noqa: S314  # written by ourselves just now
    for layer in tree.iter("layer"):
        if layer.get("name") in kept:
            ElementTree.SubElement(_told(layer), "attribute", KEEP)
    return load_openvino().Core().read_model(ElementTree.tostring(tree), weights)


def _written(model: Any) -> tuple[bytes, bytes]:
    """Write a model out: its text and its weights."""
    with tempfile.TemporaryDirectory() as folder:
        text, weights = Path(folder) / "program.xml", Path(folder) / "program.bin"
        load_openvino().serialize(model, text, weights)
        return text.read_bytes(), weights.read_bytes()


def _told(layer: ElementTree.Element) -> ElementTree.Element:
    """Find or add where a node's attributes stand."""
    found = layer.find("rt_info")
    return ElementTree.SubElement(layer, "rt_info") if found is None else found


def _is_precise(node: Any) -> bool:
    name = node.get_friendly_name()
    features = (".convs." in name or ".torgb" in name) and ".affine" not in name
    wide = node.get_output_size() and node.get_output_partial_shape(0).rank.get_length() > 3
    return not (features and wide) and node.get_type_name() not in {"Constant", "Parameter", "Result"}


def load_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report every import to its makers.

    Raises:
        SettingError: it is not installed, or cannot run here.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # reads as: not installed
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise SettingError(f"OpenVINO cannot be used here: {error}; pip install openvino.") from error
    return openvino


def capabilities() -> list[str]:
    """List what the processor computes in, as OpenVINO names it.

    >>> "FP32" in capabilities()
    True
    """
    return list(load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
