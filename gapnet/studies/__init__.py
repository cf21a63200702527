"""Many jobs at once: tables of the paper, searches, sweeps."""
