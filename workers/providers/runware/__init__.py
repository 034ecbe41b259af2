"""Runware: `models` is what it offers, `adapter` how it is asked. Only the wire needs the SDK."""
