"""Clouds without a permission model: the Secret and its keys are the requirement."""
