"""What a video does: flashes, and how it follows its song."""
