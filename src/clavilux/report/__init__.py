"""What was heard, for people: summary, plots, and files for other programs."""
