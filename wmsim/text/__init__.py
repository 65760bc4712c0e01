"""Text: what a person says, typed or spoken, is understood as one of a world's events, or answered with the nearest."""
