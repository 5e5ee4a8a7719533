"""Sections, loops and the tracks of a mix."""
