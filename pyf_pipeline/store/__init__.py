"""What is remembered between runs: project documents, classifications, repositories."""
