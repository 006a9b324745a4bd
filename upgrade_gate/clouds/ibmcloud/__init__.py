"""IBM Cloud and Power VS."""
