"""What a generator can paint: a survey of its images and the palettes chosen from it."""
