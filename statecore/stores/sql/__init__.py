"""SQL that every store in tables shares."""
