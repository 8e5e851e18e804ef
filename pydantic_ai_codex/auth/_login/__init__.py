"""The ways to log in and out; nothing here asks a user by itself."""
