"""The search collection: schema, documents, publishing, aliases and keys."""
