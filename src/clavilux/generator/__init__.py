"""How pictures are drawn: networks, their checkpoints, the program from latents to pixels."""
