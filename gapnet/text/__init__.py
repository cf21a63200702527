"""Text from data or users, made safe to show."""
