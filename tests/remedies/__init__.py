"""How each cloud grants what is missing."""
