"""What comes before GraphQL: pure ASGI, outermost."""
