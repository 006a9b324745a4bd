"""Microsoft Azure."""

PROVIDER = "Azure"
KINDS = frozenset({"AzureProviderSpec"})
"""providerSpec kinds that it answers to."""
TABLES = ("roles",)
"""Dated tables of this folder that its answers rest on."""
