"""What is shown: latents, noise and truncation, written symbolically over a song's signals."""
