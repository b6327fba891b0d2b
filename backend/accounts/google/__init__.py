"""Sign-in with Google. Without GOOGLE_CLIENT_ID it is off."""
