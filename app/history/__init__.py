"""The merged history of any number of accounts: pure functions over their timelines."""
