"""What a batch promises, tried with thousands of items against a service of its own."""
