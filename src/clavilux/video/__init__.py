"""Frames and audio are written to a video file, and read back from one."""
