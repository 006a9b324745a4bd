"""Amazon Web Services."""

PROVIDER = "AWS"
KINDS = frozenset({"AWSProviderSpec"})
"""providerSpec kinds that it answers to."""
TABLES = ("actions", "partitions")
"""Dated tables of this folder that its answers rest on."""
