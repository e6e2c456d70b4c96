"""Which functions the change touches, and who calls them."""
