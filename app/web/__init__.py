"""The pages that the gateway serves itself."""
