"""What the gateway and the workers have in common: the record, its rules and its money."""

from shared.ballast import defer

# redis-py imports it for a kind of sign-in that nobody here uses, and it brings all of cryptography.
defer("jwt")
