"""Worlds that live elsewhere: a pool of Ray actors that step any World, and the client that is itself a World."""
