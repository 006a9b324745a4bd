"""What a release asks for on this cluster, and what an update changes."""
