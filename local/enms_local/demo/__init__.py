"""The demo factory: a plant whose true behaviour is known, simulated minute by minute."""
