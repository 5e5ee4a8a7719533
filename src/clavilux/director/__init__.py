"""Chooses what a song is shown with, from what is heard in it."""
