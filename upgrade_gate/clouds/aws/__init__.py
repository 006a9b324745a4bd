"""Amazon Web Services."""

PROVIDER = "AWS"
KINDS = frozenset({"AWSProviderSpec"})
"""providerSpec kinds that it answers to."""
