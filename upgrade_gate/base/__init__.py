"""What every room may say; nothing here imports anything of ours."""
