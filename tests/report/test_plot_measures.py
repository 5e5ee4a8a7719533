"""The page of measures: everything on it is within the page."""

from fractions import Fraction

import numpy as np

from clavilux.metrics.colours import Lift
from clavilux.metrics.measures import Measures
from clavilux.metrics.rhythm import Blind
from clavilux.metrics.trace import CHANNELS, Tracer
from clavilux.report import plot_measures as plotted
from clavilux.report.plot_style import SHEET


def test_the_fullest_page_shows_all_of_its_rows_and_their_names(heard, tmp_path, monkeypatch):
    tracer = Tracer(Fraction(10))
    tracer.add(np.random.default_rng(0).integers(0, 255, (40, 36, 64, 3)).astype(np.uint8))
    lift = Lift(0.9, 0.5, 100)
    drums = {name: dict.fromkeys(CHANNELS, 1.0) for name in ("kick", "snare", "hat")}
    measures = Measures(tracer.trace, 0, lift, lift, drums, Blind(0.9, 20), 2.0)
    pages = []
    monkeypatch.setattr(plotted, "save_page", lambda page, target: pages.append(page) or target)
    plotted.plot_measures(measures, heard, "song.mp4", tmp_path / "page.png")
    figure = pages[0].figure
    figure.draw_without_rendering()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert 0 <= box.x0 < box.x1 <= SHEET[0]
        assert 0 <= box.y0 < box.y1 <= SHEET[1]
