"""Bytes from outside become plain data, within caps: the only room that parses or speaks HTTP."""
