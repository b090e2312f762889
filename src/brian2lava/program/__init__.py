"""The program of one time step: what engines run. Plain, frozen values; nothing of Brian2."""
