"""What is found, as people and programs read it: one module a format, each a pure function."""
