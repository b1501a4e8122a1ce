"""What an operation costs, told before it is executed."""
