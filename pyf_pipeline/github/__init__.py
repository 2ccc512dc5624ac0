"""Talking to GitHub: repository links, GraphQL, REST, and what to ask again when."""
