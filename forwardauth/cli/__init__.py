"""The ``forwardauth`` command; one module for each subcommand."""
