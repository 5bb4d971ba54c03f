"""What lives on the person's machine: configuration, the list of imported projects, shell files."""
