"""Everything that speaks HTTP: handlers hold the flow, the rest holds the form."""
