"""Registries: names, credentials, tokens, mirrors."""
