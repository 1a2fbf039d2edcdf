"""Pictures for people, and the report: what a run looks like, and why."""
