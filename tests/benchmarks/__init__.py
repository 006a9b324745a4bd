"""Figures for the budgets of design section 12: printed, never asserted. `make bench` runs them with nothing else."""
