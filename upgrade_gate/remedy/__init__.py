"""What a person does before and after the upgrade."""
