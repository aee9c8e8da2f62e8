"""Use cases: read, compute, write. What routes, jobs and tests call."""
