"""What holds for all tests."""

import os

# Definitions read it when they are loaded: steps that are tried again are so at once.
os.environ["PYF_RETRY_SECONDS"] = "0"
