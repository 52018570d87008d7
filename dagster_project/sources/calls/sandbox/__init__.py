"""Calls that nobody ever made: a firm's websites, visitors and agents, the same from the same parameters.

`firm.Firm` says how much, `generator.lives` makes each row with all that will become of it, `fill` writes how the rows
are at an instant. What goes wrong in real widgets goes wrong here too, on the days that `faults` names.
"""
