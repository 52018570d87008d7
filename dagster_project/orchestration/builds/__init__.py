"""A build of the dbt project costs what changed: what is parsed already, what nothing came for, what is asked again."""
