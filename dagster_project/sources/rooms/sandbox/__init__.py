"""Rooms that nobody ever was in: a firm's history and its days to come, the same from the same parameters.

`firm.Firm` says how much, `generator.RoomsSandbox` makes the events, `fill` writes them: history by COPY, the days
after it through the functions of the schema. `faults` makes what goes wrong in real databases.
"""
