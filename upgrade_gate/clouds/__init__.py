"""What a CredentialsRequest grants on each cloud: one file each, found by name."""
