"""Rings around a call to a provider, one concern each; `app.providers.http` puts them together."""
