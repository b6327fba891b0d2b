"""Sign-in with Google. Disabled without GOOGLE_CLIENT_ID."""
