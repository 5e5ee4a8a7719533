"""A composer of short songs with exact ground truth."""
