"""The owner's guideline: its 26 variables, its text filled in, its numbers read back, and what is wrong with it."""

from gates.guidelines.rules import RULES

__all__ = ["RULES"]
