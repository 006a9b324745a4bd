"""Readers of a cluster: one file each, found by name."""
