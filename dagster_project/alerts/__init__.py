"""Alerts: what is wrong becomes an episode, an episode becomes messages, and each message is delivered."""
