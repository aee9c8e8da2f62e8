"""The life of the local cloud: its settings, its processes, and the steps that bring it up."""
