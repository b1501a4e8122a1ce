"""What listeners are told: the entries that appear in histories while they listen."""
