"""The answers of each provider as its documents declare them; nothing is translated here."""
