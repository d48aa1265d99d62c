"""OpenSim storage files (.sto, .mot): a strict reader, and a writer whose numbers come back bit for bit."""
