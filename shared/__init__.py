"""What the gateway and the workers have in common: the record, its rules and its money."""
