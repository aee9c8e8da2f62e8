"""The models that compete, one idea a module."""
