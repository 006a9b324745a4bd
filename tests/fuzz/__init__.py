"""Hostile input for every reader: targets, mutators and two drivers (docs/developing.md#fuzzing)."""
