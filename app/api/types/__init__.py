"""The types of the schema, by what they are about."""
