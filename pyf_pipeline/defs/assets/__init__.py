"""The four assets of a profile, in the order in which data flows."""
