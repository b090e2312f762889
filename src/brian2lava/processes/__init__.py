"""The Lava processes that host the engines; the only place that imports Lava, and only when asked.

``shim`` makes lava-nc importable on today's Pythons, ``brian_network`` holds the Lava process of a
Brian2 network, and ``lava_host`` starts it, talks to it through a ``mailbox`` in shared memory, and
cleans up behind it. Nothing here is imported by ``import brian2lava``.
"""
