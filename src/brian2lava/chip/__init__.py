"""What a Loihi is configured with, in integers, and what it then computes."""
