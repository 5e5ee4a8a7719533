"""What is built in: weights in the native format, each with its card inside, read like any other file."""
