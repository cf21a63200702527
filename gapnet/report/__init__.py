"""Results for people: tables, curves, pictures, report.html."""
