"""Many clusters in one run: which are judged, what came out, grouped by cause."""
