"""The engine for graphics cards, without one: the processor runs its kernels, thread by thread."""
