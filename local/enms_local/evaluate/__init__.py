"""Baselines of a delimited text file: the service's science without a stack and without a database."""
