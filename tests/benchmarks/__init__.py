"""The service's figures, each measured beside its peer in the same run: `make bench`."""
