"""Tests, and the stand-in world that they and the demo run on."""
