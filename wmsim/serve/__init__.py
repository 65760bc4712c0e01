"""Worlds that live elsewhere: a pool of Ray actors that step any World, and a person at the wheel in a browser."""
