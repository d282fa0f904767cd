"""`az://`: Azure Blob Storage."""
