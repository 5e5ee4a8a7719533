"""What was detected in a song, for people and other programs: summary, plots, exports."""
