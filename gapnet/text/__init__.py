"""Make text from data or users safe to print."""
