"""What the tests stand on: a real PostgreSQL, a real SMTP server, a real browser."""
