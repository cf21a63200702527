"""Run folders, the names of their files, and identities of runs."""
