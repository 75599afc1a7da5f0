"""Users: who may sign in, and proof of their password."""
