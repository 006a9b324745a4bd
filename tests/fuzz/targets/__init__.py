"""One module for each kind of reader; its `TARGETS` are found by themselves."""
