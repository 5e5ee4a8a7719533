"""What the music does: facts about a song, found once and kept."""
