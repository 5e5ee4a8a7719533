"""The product: a song and a project in, a video, an image or an analysis out."""
