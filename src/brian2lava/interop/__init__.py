"""Chip networks in other forms: as a graph of Lava processes."""
