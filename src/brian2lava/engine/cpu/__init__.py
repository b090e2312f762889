"""The CPU engine: a step program rendered as C++, compiled once, cached."""
