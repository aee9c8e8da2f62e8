"""EnMS Analytics: what every function of the service imports."""

__version__ = "0.1.0"
