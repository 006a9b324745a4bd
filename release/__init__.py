"""What a release has beside wheel and sdist: locks, wheelhouse, single file, bill of materials. It is not installed."""
