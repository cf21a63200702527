"""Figures for people: tables, curves, pictures, a page."""
