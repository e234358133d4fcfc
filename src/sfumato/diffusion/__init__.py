"""The mathematics of diffusion and flow models: paths between data and noise, and solvers."""
