"""The two flows, sign-in and health: one module for each."""
