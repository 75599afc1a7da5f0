"""Configurations of other programs, read as ours: one module for each source.

source file ─► what it says ─► drafts of rules ─► rules ─► YAML, and a report

Law: what is written is never weaker than its source. Where something cannot be said
here, the written rule lets in less, or the report says that it is missing.
"""
