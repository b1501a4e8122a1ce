"""Customers, their accounts at providers, and the encrypted credentials of those."""

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Change, Directory
from app.directory.importing import LineOutcome, import_lines
from app.directory.vault import Vault, VaultError, keygen

__all__ = [
    "Change",
    "Directory",
    "DirectoryUnavailable",
    "LineOutcome",
    "Vault",
    "VaultError",
    "import_lines",
    "keygen",
]
