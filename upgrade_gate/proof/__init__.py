"""Who serves a Secret, and what is proven of that identity."""
