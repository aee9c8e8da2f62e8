"""Which loads to move, and when: jobs, what they cost, and the plan of least cost with its proof."""
