"""How large and how nested a document may be, and how much is said of one that is wrong."""

MAX_SIZE = 64 * 1024 * 1024
"""Bytes (or characters, where the text is already decoded) of one document."""
MAX_DEPTH = 64
"""Lists and mappings inside each other, those that aliases repeat included."""
MAX_ALIASED = 100_000
"""Values that aliases may add to a document."""
MAX_VALUES = 10_000_000
"""Commas, colons, brackets and line ends: what parts one value from the next. 100,000 connections have 3 million."""
MAX_PROBLEMS = 1000
"""Mistakes that are told of one document."""
MAX_EXPLAINED = 50_000
"""Values of which it is told what is wrong with them: explaining takes a hundred times as long as checking."""
MAX_EXCERPT = 2000
"""Characters of the longest line that is shown."""
