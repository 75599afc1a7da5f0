"""Rules over subject and original request; ``rules.AccessControl`` decides."""
