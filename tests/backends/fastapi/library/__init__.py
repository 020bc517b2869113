"""A lending library's catalogue."""
