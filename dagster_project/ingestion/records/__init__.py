"""What becomes of the records of a page: landed, quarantined, marked as deleted; and the fields that drift."""
