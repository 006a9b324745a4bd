"""A release as files and documents: where it comes from, whether it is whole, and its parsed index."""
