"""How each cloud grants what is missing: one module per cloud, found by the name of its file."""
