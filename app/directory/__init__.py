"""Customers, their accounts at providers, those' encrypted credentials, and API keys."""
