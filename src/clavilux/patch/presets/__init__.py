"""Patches that need no tuning."""
