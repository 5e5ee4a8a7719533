"""Frames and sound become a file, and a file says what is in it."""
