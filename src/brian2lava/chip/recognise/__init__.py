"""Brian2 objects -> the numbers of the discrete map that one time step applies."""
