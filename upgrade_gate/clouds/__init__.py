"""One folder for each cloud; a role is a file name, and a role that a cloud lacks has no file."""
