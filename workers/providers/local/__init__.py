"""The `local` provider: `media` makes things, in child processes that import nothing else; `adapter` serves it."""
