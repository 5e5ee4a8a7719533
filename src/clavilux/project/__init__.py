"""What a person decides about a video, as values and as files."""
