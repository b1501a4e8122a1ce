"""
How the database of an earlier release becomes that of this one.

Each file in `versions` is one step, applied in its order within one transaction, and is never
changed once it was released. A step says its tables in its own words: those of this release may
have changed since. `version.NEWEST` is the last of them.
"""
