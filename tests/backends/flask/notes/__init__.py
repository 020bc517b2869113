"""Keeps notes with tags, in memory."""
