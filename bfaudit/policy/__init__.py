"""Policies: YAML -> rules whose expressions are compiled, over the catalogue of fields."""
