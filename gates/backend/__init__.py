"""The backend under test: its environment, its start and stop, the way in."""
