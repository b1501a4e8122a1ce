"""Answers that were given before, kept as their bytes for as long as they are true."""
