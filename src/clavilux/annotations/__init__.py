"""What a person wrote beside a song: label files and the file of corrections."""
