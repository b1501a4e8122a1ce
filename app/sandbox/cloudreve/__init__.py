"""Cloudreve v4 as its documents describe it."""
