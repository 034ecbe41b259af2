"""What operators see of the whole installation, and what they do about it."""
