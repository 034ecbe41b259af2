"""Groq: `models` is what it offers, `adapter` how it is asked: through OpenAI's SDK, whose API it speaks."""
