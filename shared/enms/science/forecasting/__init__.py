"""Forecasts of a load: candidates, their proof, and what is served of them."""
