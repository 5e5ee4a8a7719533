"""What a user decides about a video, as values and as files."""
