"""Level: bands, loudness, and how full each section sounds."""
