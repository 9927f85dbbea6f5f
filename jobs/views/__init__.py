"""What a person asks for, page by page: each view loads, calls one function and renders."""
