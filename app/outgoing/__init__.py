"""How others are asked over HTTP: with bounded heads, and nothing from the environment."""
