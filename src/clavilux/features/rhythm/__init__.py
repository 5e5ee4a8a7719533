"""When: drums, tempo, beats and bars."""
