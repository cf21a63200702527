"""Maps of the evidence for a class, one method a file."""
