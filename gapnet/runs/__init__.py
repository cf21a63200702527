"""Run folders: the names of their files, and what identifies a run."""
