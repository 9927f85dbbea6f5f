"""The product as a person meets it: a running copy and a browser."""
