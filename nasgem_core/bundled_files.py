"""Files that come with the package: profiles, the images of the proxy task, the table of NASGEM-Bench.

In the repository `nasgem_core/bundled` has links to them; a wheel holds the files themselves.
"""

from pathlib import Path

_BUNDLED = Path(__file__).with_name("bundled")
PROFILES = _BUNDLED / "profiles"
"""What differs from the default parameters: one YAML file for each profile."""
IMAGES = _BUNDLED / "images"
"""The bundled tenth of CIFAR-10."""
TABLES = _BUNDLED / "tables"
"""Tables of measured cells, by the names under which they are imported."""
