"""What a package is: pure functions over PyPI's metadata, with no input or output of their own."""
