"""A Tasuki node: one member's installation, which remembers, sends and shows."""
