"""What the source of a project says of it, read and never run: pure functions from text to what it names."""
