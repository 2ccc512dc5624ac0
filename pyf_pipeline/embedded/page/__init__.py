"""The search page: a shell rendered here, a small script of its own, and searches with a search-only key."""
