"""From trained networks to numbers, verdicts and comparisons."""
