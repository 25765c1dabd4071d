"""The commands of ``simgate``, a module each, and what they share: options, consoles, accounts of what was done."""
