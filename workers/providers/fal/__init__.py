"""fal: `models` is what it offers, `adapter` how it is asked. Only the adapter needs the SDK."""
