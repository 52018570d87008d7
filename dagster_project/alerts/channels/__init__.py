"""The ways by which a message leaves: webhook, e-mail, apprise."""
