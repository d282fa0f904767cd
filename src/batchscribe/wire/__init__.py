"""The contract as types: what a client may ask for, and what it is answered."""
