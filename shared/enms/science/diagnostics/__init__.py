"""Judging fits: goodness, residuals, and how errors remember each other."""
