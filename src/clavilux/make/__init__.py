"""The whole product on one page: a song and settings in, a file out."""
