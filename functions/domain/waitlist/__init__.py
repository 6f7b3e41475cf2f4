"""Those who wait: joining, whose turn it is, offers, and leaving. Every decision is made for one commit, from one reading."""
