"""Steps recorded on a GPU and replayed: to launch their thousands of kernels takes longer than to run them.

A record (a CUDA graph) holds what Python chose when it was made: where crops and windows are, and where
styles cross over. What the device draws is new in every replay. So several records take turns, and the oldest
gives way to a new one now and then.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

__all__ = ["Records"]

COUNT = 16
RENEW_SECONDS = 4.0
WARM_STEPS = 6
"""Steps before the first record, in which libraries choose their kernels and optimisers make their state."""
TRIED = 4
"""Kernels that cuDNN times for every convolution before it chooses."""


class Records:
    """A few records of one step, which changes only tensors that outlast it."""

    def __init__(self, source: torch.Generator) -> None:
        self.source = source
        self.graphs: deque[torch.cuda.CUDAGraph] = deque(maxlen=COUNT)
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()
        self.warm, self.renewed = 0, 0.0
        self.random = random.Random(source.initial_seed())  # noqa: S311

    def take(self, step: Callable[[], None]) -> None:
        """Run the step, at first, or replay a record of it."""
        if self.warm < WARM_STEPS:
            self.warm += 1
            self.run(step)
            return
        if len(self.graphs) < COUNT or time.monotonic() - self.renewed > RENEW_SECONDS:
            self.graphs.append(self.record(step))
            self.renewed = time.monotonic()
        self.random.choice(self.graphs).replay()

    def run(self, step: Callable[[], None]) -> None:
        """Run the step on the stream that records are made on."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream), tuned():
            step()
        torch.cuda.current_stream().wait_stream(self.stream)

    def record(self, step: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """Record the step, which does not run meanwhile."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.source)
        with tuned(), torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            step()
        return graph


@contextmanager
def tuned() -> Iterator[None]:
    """Let cuDNN choose kernels by their times: worth it for these steps alone, being so many."""
    torch.backends.cudnn.benchmark_limit = TRIED
    torch.backends.cudnn.benchmark = True
    yield
    torch.backends.cudnn.benchmark = False
