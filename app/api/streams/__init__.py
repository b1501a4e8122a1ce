"""Answers that come over time: WebSockets and server-sent events."""
