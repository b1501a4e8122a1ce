"""Credit Gateway: one GraphQL answer over the credit histories of several providers."""
