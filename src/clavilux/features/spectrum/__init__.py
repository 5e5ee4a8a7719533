"""Time and frequency: what every other feature is made from."""
