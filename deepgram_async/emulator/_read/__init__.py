"""What is said about a text: small methods that stand in for the service's language models."""
