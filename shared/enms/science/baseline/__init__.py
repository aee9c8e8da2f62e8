"""Energy baselines: fit, choice, verdict, and the uncertainty of what they predict."""
