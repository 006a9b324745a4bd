"""What is found, how it weighs, and the verdict."""
