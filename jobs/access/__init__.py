"""Acting on who may reach what: connections, their sandboxes and members, and people."""
