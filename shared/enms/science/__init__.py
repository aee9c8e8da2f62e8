"""What baselines compute with: pure functions of arrays, without database or network."""
