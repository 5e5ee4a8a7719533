"""Harmony: tuning, key, chroma, melody and bass line."""
