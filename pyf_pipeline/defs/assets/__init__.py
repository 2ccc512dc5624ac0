"""The assets of a profile: a module for each."""
