"""What the cluster says: facts, each known, absent, or unknown with the reason."""
