"""One file for each upstream product, and the one door through which they are asked."""
