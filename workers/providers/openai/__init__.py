"""OpenAI, and the adapter of everyone who speaks its HTTP API. `models` is what it offers and needs no SDK."""
