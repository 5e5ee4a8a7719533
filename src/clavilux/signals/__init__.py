"""Which curve drives what: expressions over a song, and their evaluation on the control clock."""
