"""The whole journey on an example backend: two phases, one that breaks what the first had reached, and its repair."""
