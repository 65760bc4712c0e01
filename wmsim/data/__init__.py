"""Data: episodes on disk, recording, windows for training, readers of other recordings."""
