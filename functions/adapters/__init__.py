"""What talks to the world: Firestore, Google Calendar, Google OAuth, Cloud Tasks, mail; settings, clock and keys; the composition root."""
