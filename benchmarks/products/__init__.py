"""Other companions, each installed by its name and signed in to as a person does."""
