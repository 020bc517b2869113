"""Load: what runs inside Locust, and the pure parts around it."""
