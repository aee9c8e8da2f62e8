"""What every endpoint group shares: the application, errors, rights, parameters."""
