"""How large and how nested a document may be."""

MAX_SIZE = 64 * 1024 * 1024
"""Bytes (or characters, where the text is already decoded) of one document."""
MAX_DEPTH = 64
"""Lists and mappings inside each other, those that aliases repeat included."""
MAX_ALIASED = 100_000
"""Values that aliases may add to a document."""
