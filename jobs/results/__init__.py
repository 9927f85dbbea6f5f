"""Reading what an export wrote: batches, files, first rows, downloads."""
