"""Who runs the tasks of a flow side by side: processes of this machine, or a Dask cluster."""
