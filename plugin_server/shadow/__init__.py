"""Shadow mode: verdicts are computed and recorded, results stay as they are; and the report on what would change."""
