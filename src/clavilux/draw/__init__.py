"""Numbers for a window of frames, then pixels: where patch, song and model meet."""
