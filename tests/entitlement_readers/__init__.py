"""Tests of the entitlement readers."""
