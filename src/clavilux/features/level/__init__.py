"""How loud: levels of bands, loudness, and how full each part sounds."""
