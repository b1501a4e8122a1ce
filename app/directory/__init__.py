"""Customers, their accounts at providers, those' encrypted credentials, and API keys."""

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Change, Directory, Linked
from app.directory.importing import LineOutcome, import_lines
from app.directory.vault import Vault, VaultError, keygen

__all__ = [
    "Change",
    "Directory",
    "DirectoryUnavailable",
    "LineOutcome",
    "Linked",
    "Vault",
    "VaultError",
    "import_lines",
    "keygen",
]
