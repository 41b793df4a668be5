"""Projects and what belongs to them: who may do what, and what was used."""
