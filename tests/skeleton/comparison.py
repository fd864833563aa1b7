"""The post compared with the suite's accepted numbers; its jobs in the report."""

CASES = ()
