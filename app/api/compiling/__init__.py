"""Selections of plain data, compiled to functions of Python; `app.api.executor` is the way in."""
