"""The words that problems are told in live in `bfaudit.words`; this name is kept for what still imports it."""

from bfaudit.words import did_you_mean, kind_of, one_of, quoted, wanted

__all__ = ["did_you_mean", "kind_of", "one_of", "quoted", "wanted"]
