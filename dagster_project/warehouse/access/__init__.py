"""Who may do what in the warehouse, and who did: roles, rights, users, logins, the audit log."""
