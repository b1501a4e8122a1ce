"""Commands as they are called: names, arguments and helps; what one does is loaded when it is."""
