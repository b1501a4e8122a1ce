"""GraphQL: the schema, its resolvers and loaders, and GraphQL over HTTP."""
