"""Which notes: tuning, key, chroma, melody and bass line."""
