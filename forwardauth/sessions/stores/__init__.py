"""Where sessions are kept: one module for each backend of ``sessions.store``."""
