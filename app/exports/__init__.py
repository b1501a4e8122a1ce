"""Whole lists as files: every entry that was asked for, or an error in their place."""
