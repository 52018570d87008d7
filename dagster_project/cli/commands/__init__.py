"""The commands of `b2chat`, a module a group of them."""
