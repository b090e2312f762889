"""The preset models of Brian2Lava 1.0 beta, under the names that its users import."""
