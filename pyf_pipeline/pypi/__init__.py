"""Talking to PyPI: the index, project documents, discovery by classifier."""
