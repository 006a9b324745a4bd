"""Google Cloud."""

PROVIDER = "GCP"
KINDS = frozenset({"GCPProviderSpec"})
"""providerSpec kinds that it answers to."""
TABLES = ("roles",)
"""Dated tables of this folder that its answers rest on."""
