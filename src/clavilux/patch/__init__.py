"""What is shown: latents, noise, truncation, bends and rewrites, written symbolically over a song's signals."""
