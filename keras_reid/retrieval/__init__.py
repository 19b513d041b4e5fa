"""Placeholder, replaced by the folder's owner."""
