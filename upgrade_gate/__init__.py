"""Say before an OpenShift upgrade whether the cluster holds every cloud permission that the target needs."""

__version__ = "0.1.0"
