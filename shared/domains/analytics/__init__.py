"""What was used and what it cost, by day of the account's time zone: rolled up, read, compared and foretold."""
