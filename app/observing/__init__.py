"""What is told of the work for one request: lines of the log, traces, and how long what took."""
