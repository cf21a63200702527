"""Text that comes from data or from users, made safe to show."""
