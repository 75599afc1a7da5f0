"""Sessions: create, look up, touch, end; see ``manager`` first."""
