"""Runs a program compiled by OpenVINO: the fastest way to draw on a processor.

The program is traced once with fixed shapes, its convolutions replaced by Winograd's where they stay
float32, and compiled; the result can be kept on disk under the hash of everything it depends on. Where the
processor computes in bfloat16, features do; styles and pixels stay float32.
"""

import contextlib
import ctypes
import sys
import tempfile
import threading
import warnings
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np

from clavilux.arrays import AnyArray
from clavilux.engine.cache import Compiled, key
from clavilux.engine.runner import Runner
from clavilux.engine.winograd import use_winograd
from clavilux.errors import EngineError, OutputError
from clavilux.generator.program import FrameInputs, Program

__all__ = [
    "OpenVinoRunner",
    "Precision",
    "capabilities",
    "has_compiled",
    "is_precise",
    "keep_precise",
    "load_openvino",
]

Precision = Literal["bf16", "f32"]

PRECISE = {"name": "precise", "version": "0"}
"""The attribute by which OpenVINO keeps a node in float32, as its files spell it."""

SLOW_IN_BF16 = {"GroupConvolutionBackpropData"}
"""Operations that take thirty times as long in bfloat16 as in float32: the filters of StyleGAN3."""

CONVERTING = threading.Lock()
"""Programs are compiled side by side, but traced one after the other: warnings are filtered meanwhile."""

ROOT = "__module."
"""What the tracer puts before the path of a program's module in the names of its nodes."""


class OpenVinoRunner(Runner):
    """Draws frames with OpenVINO.

    Args:
        program: what to draw.
        batch: frames in one pass.
        precision: of the features; by default bf16 where the processor has it, else f32.
        cache: folder for compiled programs; without one nothing is kept.
        threads: processor cores to use; all unless given.

    Raises:
        EngineError: OpenVINO is not installed, or the processor has no bf16.
        OutputError: the temporary folder is full or missing (with bf16).

    >>> from clavilux.generator.model import load_model
    >>> program = Program(load_model("silk"), size=(64, 64), cells=(4, 4), pixels="rgb24")
    >>> inputs = {name: np.zeros((3, *spec.shape), spec.dtype) for name, spec in program.inputs.items()}
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
        self._ov = load_openvino()
        chosen = _precision(precision)
        own = f"openvino {self._ov.__version__} {chosen} on {_processor()}"
        label = "openvino f32 on cpu" if chosen == "f32" else own
        super().__init__(program, batch, precision=chosen, label=label)
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": chosen}
        if threads is not None:
            config["INFERENCE_NUM_THREADS"] = threads
        with self._memory():
            kept = _kept(program, batch, chosen, cache)
            self.compiled = kept.fetch(self._ov.Core(), config, lambda: self._convert(program))
            self._request = self.compiled.create_infer_request()
        _return_freed_memory()

    def _draw(self, inputs: FrameInputs, pixels: AnyArray) -> None:
        scratch = np.empty((self.batch, *self._frame), self._dtype)
        for place, arrays in self._passes(inputs, len(pixels)):
            count = place.stop - place.start
            whole = pixels[place] if count == self.batch else scratch
            self._request.set_output_tensor(0, self._ov.Tensor(whole, shared_memory=True))
            self._request.infer(arrays, share_inputs=True, share_outputs=True)
            if whole is scratch:
                pixels[place] = scratch[:count]

    def _convert(self, program: Program) -> Any:
        """Convert the program to an OpenVINO model of fixed shapes."""
        import torch  # here, as a program that is kept needs no PyTorch

        specs = program.inputs.values()
        example = tuple(torch.zeros((1, *spec.shape), dtype=getattr(torch, spec.dtype)) for spec in specs)
        with CONVERTING, torch.inference_mode(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            traced = torch.jit.trace(program.module, example, check_trace=False)  # type: ignore[no-untyped-call]
            model = self._ov.convert_model(traced, example_input=example)
        fixed = [self._ov.PartialShape([self.batch, *spec.shape]) for spec in specs]
        model.reshape(dict(zip(model.inputs, fixed, strict=True)))
        if self.precision == "f32":
            use_winograd(model)
            return model
        return keep_precise(model, program.module.feature_modules)


def has_compiled(program: Program, *, batch: int, precision: Precision | None, cache: Path | None) -> bool:
    """Return whether a runner would find its program, or one with other bends and rewrites, compiled.

    Raises:
        EngineError: as `OpenVinoRunner`.
    """
    return _kept(program, batch, _precision(precision), cache).is_like_another


def _kept(program: Program, batch: int, precision: Precision, cache: Path | None) -> Compiled:
    return Compiled(cache, key(program, batch, precision, load_openvino().__version__))


def _precision(wanted: Precision | None) -> Precision:
    native = "BF16" in capabilities()
    if wanted == "bf16" and not native:
        raise EngineError(
            "This processor does not compute in bf16",
            where="precision",
            value=wanted,
            hint="choose the precision auto or exact",
            remedy="precision",
        )
    return wanted or ("bf16" if native else "f32")


def _return_freed_memory() -> None:
    """Return to the system what the conversion has freed; glibc would keep about 100 MB of it."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library, or none with a name
        ctypes.CDLL(None).malloc_trim(0)


def keep_precise(model: Any, feature_modules: AbstractSet[str]) -> Any:
    """Mark what must stay float32 under a lower precision of the features.

    These are styles, demodulation and pixels: everything but the features. The sum of colours is in the
    features' precision: float32 takes a seventh longer there and comes no nearer to the exact result. Python
    cannot set the mark, so the model is written out, marked as text and read back.

    Args:
        model: the converted program.
        feature_modules: paths of the modules that compute features; see `ProgramModule.feature_modules`.

    Returns:
        the marked model.

    Raises:
        OutputError: the temporary folder is full or missing.
    """
    kept = {node.get_friendly_name() for node in model.get_ordered_ops() if is_precise(node, feature_modules)}
    try:
        text, weights = _serialize(model)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it seems to be full"
        folder = tempfile.gettempdir()
        raise OutputError(
            f"The network cannot be compiled in the temporary folder '{folder}' ({reason})",
            where=folder,
            hint="free some space there or set TMPDIR to another folder",
        ) from error
    tree = ElementTree.fromstring(text)  # noqa: S314  # our own text, written just now
    for layer in tree.iter("layer"):
        if layer.get("name") in kept:
            ElementTree.SubElement(_runtime_info(layer), "attribute", PRECISE)
    return load_openvino().Core().read_model(ElementTree.tostring(tree), weights)


def is_precise(node: Any, feature_modules: AbstractSet[str]) -> bool:
    """Return whether a node must stay float32: all but the operations of feature modules on (B, C, H, W)."""
    # A node is named after the module that computes it: __module.network.blocks.0.torgb/aten::add/Add
    module = node.get_friendly_name().partition("/")[0].removeprefix(ROOT)
    wide = node.get_output_size() and node.get_output_partial_shape(0).rank.get_length() > 3
    kind = node.get_type_name()
    if kind in {"Constant", "Parameter", "Result"}:
        return False
    return kind in SLOW_IN_BF16 or not (wide and module in feature_modules)


def _serialize(model: Any) -> tuple[bytes, bytes]:
    """Write a model out: its text and its weights."""
    with tempfile.TemporaryDirectory() as folder:
        text, weights = Path(folder) / "program.xml", Path(folder) / "program.bin"
        load_openvino().serialize(model, text, weights)
        return text.read_bytes(), weights.read_bytes()


def _runtime_info(layer: ElementTree.Element) -> ElementTree.Element:
    """Find or add the element of a node's attributes."""
    found = layer.find("rt_info")
    return ElementTree.SubElement(layer, "rt_info") if found is None else found


def load_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report every import to its makers.

    Raises:
        EngineError: it is not installed, or cannot run here.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # reads as: not installed
    try:
        import openvino
    except (ImportError, OSError) as error:
        what, hint = f"OpenVINO cannot be used here: {error}", "pip install openvino"
        raise EngineError(what, where="engine", hint=hint) from error
    return openvino


def _processor() -> str:
    """Return the processor's name."""
    return str(load_openvino().Core().get_property("CPU", "FULL_DEVICE_NAME"))


def capabilities() -> list[str]:
    """List the number formats that the processor computes in, as OpenVINO names them.

    >>> "FP32" in capabilities()
    True
    """
    return list(load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
