"""When, where and by which pull request each requirement came or went: a dated table and the questions put to it."""
