"""What a generator can draw: a survey of its images and the palettes chosen from it."""
