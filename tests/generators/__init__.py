"""What `make` writes into the repository from the program itself, and tests hold against it."""
