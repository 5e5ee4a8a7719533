"""What is shown: latents, noise, truncation, bends and rewrites, symbolically, over a song's signals."""
