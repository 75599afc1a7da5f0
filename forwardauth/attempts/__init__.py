"""How often somebody may try a password: the counts, the waits, and where they lie."""
