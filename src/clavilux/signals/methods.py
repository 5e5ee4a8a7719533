"""Classes that carry the signal ops as methods; their types and documentation are in the generated stub."""

from clavilux.signals.table import methods_of

__all__ = ["EventsMethods", "SignalMethods", "StemMethods"]

EventsMethods = methods_of("events")
SignalMethods = methods_of("signal")
StemMethods = methods_of("stem")
