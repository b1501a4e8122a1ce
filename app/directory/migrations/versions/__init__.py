"""The steps; which one follows which is said in each of them."""
