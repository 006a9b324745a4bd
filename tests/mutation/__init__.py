"""Mutation testing: do the tests notice, when one place of the code is changed?"""
