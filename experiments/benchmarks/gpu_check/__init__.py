"""The parts of `gpu.py`: stages, what they time and compare, and what is written of it."""
