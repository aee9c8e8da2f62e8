"""Anomalies: few, right and explained."""
