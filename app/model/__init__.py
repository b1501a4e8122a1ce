"""The words every layer shares: money, entries, accounts and errors; no I/O, no framework."""
