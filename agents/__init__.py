"""One program per way to train or plan: each runs from a checkout, on the dream, its twin or anyone's environment."""
