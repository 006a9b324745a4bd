"""Where release payloads come from: one file for each form of reference."""
