"""What was really asked of a backend, held against its document: calls of tests, access logs, HAR files; pure."""
