"""Talking to pypistats, which counts downloads: one project a call, few calls a minute, and what to ask again when."""
