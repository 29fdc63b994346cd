"""Names of the files that a registered model holds beside MLflow's own."""

DESCRIPTION_FILE, WEIGHTS_FILE = "network.json", "weights.safetensors"
EXTRA_FILES = "extra_files"
"""Their folder in the model; MLflow's own name."""
