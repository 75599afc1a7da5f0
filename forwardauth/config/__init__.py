"""``config.yaml`` and the environment, parsed once into frozen values."""
