"""What is counted, for Prometheus; it knows nothing of what it counts."""
