"""Audio files as samples."""
