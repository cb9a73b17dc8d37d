"""The `tasuki` command: one file for each word it knows."""
