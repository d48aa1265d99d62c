"""Neural-enhanced motion-to-EMG (Teramae et al. 2025, doi:10.3389/fbioe.2025.1611414) in JAX and Flax."""
