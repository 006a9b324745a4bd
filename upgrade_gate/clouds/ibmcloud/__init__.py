"""IBM Cloud and Power VS."""

PROVIDER = "IBMCloud"
KINDS = frozenset({"IBMCloudProviderSpec", "IBMCloudPowerVSProviderSpec"})
"""providerSpec kinds that it answers to."""
