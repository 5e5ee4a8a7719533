"""Rhythm: event activations, drums, tempo, beats and bars."""
