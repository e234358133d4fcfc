"""Looking around in what a model learned: ways between images, sweeps, projections, scores.

Every kind is a function from a `Sampler`, seeds and options to `Frames`. A place in latent space is a
mixture of anchors, and the anchor of seed k is the latent that sampling seed k uses.
"""
