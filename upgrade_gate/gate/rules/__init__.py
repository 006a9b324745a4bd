"""Rule groups: one file each, found by name."""
