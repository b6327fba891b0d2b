"""Accounts: users, how they sign in, and their data."""
