"""What the user wrote beside a song: label files and the corrections file."""
