"""Pictures for people: what each step of a run looks like."""
