"""Anthropic: `models` is what it offers, `adapter` how it is asked, `messages` what is sent and what comes back."""
