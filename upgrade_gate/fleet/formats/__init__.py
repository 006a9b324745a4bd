"""What a fleet's result is written as; a module here is a format."""
