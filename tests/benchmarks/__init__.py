"""Figures for the budgets: printed, never asserted. `make bench` runs them with nothing else.

See docs/contract.md#budgets.
"""
