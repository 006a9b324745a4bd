"""Microsoft Azure."""

PROVIDER = "Azure"
KINDS = frozenset({"AzureProviderSpec"})
"""providerSpec kinds that it answers to."""
