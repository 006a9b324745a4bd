"""The table of capabilities and the demo's inputs."""
