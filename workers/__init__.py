"""The turbines: they take generations from the record, have providers run them, and store what comes out."""
