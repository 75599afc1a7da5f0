"""One module for each proxy dialect; ``base`` is what they share."""
