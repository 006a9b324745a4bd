"""What several clouds share."""
