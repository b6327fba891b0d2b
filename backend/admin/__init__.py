"""Administration: users, jobs and the queue for admins, and the audit log."""
