"""HostUp v1 as its documents describe it."""
