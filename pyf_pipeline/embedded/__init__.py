"""A Typesense-compatible search index on SQLite, in process or as a server."""
