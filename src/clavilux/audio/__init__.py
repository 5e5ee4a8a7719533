"""Sound: what the samples of a song are."""
