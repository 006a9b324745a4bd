"""Alibaba Cloud."""

KINDS = frozenset({"AlibabaCloudProviderSpec"})
"""providerSpec kinds that it answers to."""
