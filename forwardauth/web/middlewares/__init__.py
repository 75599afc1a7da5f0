"""One middleware in each module."""
