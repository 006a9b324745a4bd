"""A release image: its manifest, its layers, its files."""
