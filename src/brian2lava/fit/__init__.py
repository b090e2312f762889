"""Fitting the chip's neuron and synapse models to equations and recordings."""
