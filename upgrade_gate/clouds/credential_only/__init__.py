"""Clouds without a permission model: the Secret and its keys are the requirement."""

KINDS = frozenset(
    {
        "KubevirtProviderSpec",
        "Metal3ProviderSpec",
        "NutanixProviderSpec",
        "OpenStackProviderSpec",
        "OvirtProviderSpec",
        "VSphereProviderSpec",
    }
)
"""providerSpec kinds that it answers to."""
