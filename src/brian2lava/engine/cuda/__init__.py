"""The engine for graphics cards: a step program as CUDA kernels, which a processor can run, too."""
