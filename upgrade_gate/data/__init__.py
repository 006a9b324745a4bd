"""Dated tables and the demo's inputs."""
