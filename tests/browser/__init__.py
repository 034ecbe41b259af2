"""The studio in a real browser, against a real stack: `make test-browser`."""
