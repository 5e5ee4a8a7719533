"""Numbers for a window of frames, then images: where patch, song and model meet."""
