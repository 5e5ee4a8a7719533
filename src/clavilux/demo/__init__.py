"""A composer of short pieces whose truth is known."""
