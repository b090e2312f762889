"""Lava processes for tests, alone in a folder: Lava executes every module beside a process."""
