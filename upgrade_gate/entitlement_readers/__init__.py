"""What identities really hold, cloud by cloud: one file each, found by name."""
