"""From whatever a path holds to raw tables: the one door for logs, item tables and all files beside them."""
