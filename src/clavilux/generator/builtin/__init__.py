"""The built-in generators: weights in the native format, read like any other file."""
