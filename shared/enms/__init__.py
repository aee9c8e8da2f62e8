"""EnMS Analytics: what every function of the service imports."""
