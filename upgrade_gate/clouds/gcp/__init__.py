"""Google Cloud."""

PROVIDER = "GCP"
KINDS = frozenset({"GCPProviderSpec"})
"""providerSpec kinds that it answers to."""
