"""What we keep of each account's history: its newest part, without gaps, as deep as was asked."""
