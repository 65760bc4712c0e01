"""Worlds that live elsewhere: a person at the wheel in a browser."""
