"""The profile store of each sandbox: Parquet files, and the SQL that makes, merges, judges and reads them."""
