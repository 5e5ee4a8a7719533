"""Image generators: networks, their checkpoints, and the program from latents to pixels."""
