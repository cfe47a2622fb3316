"""From raw tables to a clean log: which column means what, what each cell says, what is set aside and why."""
