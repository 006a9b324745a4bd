"""What the tokens of the payload's components say, whichever cloud takes them."""

AUDIENCE = "openshift"
"""What the payload's token volumes ask for, and what ccoctl writes; clouds compare it with case."""
