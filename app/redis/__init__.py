"""Redis as the gateway uses it: every wait is bounded, and it may be away at any time."""
