"""One file per checkpoint format, each giving a card and named arrays."""
