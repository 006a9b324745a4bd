"""What a cloud must or may answer; one file for each role."""
