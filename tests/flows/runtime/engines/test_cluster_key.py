import pytest

from flows.runtime.engines.cluster_key import cluster_security, make_cluster_key
from nasgem_core.errors import NasgemError

ADDRESS = "tls://head:8786"


def test_machines_with_the_same_key_trust_each_other(tmp_path):
    path = tmp_path / "cluster.pem"
    make_cluster_key(path)
    before = path.read_text()
    make_cluster_key(path)
    assert path.read_text() == before and path.stat().st_mode & 0o777 == 0o600
    security = cluster_security(ADDRESS, path)
    assert security.require_encryption
    for role in ("client", "scheduler", "worker"):
        own = security.get_tls_config_for_role(role)
        assert own["ca_file"] == own["cert"] and own["cert"].startswith("-----BEGIN CERTIFICATE-----")
        assert own["key"].startswith("-----BEGIN PRIVATE KEY-----") and "CERTIFICATE" not in own["key"]
        assert security.get_connection_args(role)["ssl_context"].verify_mode.name == "CERT_REQUIRED"


def test_without_tls_no_key_is_read(tmp_path):
    assert not cluster_security("tcp://head:8786", tmp_path / "missing").require_encryption


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (None, 0, "asks for a key, and .* is missing: copy"),
        ("x", 0o644, "is not a file that its owner alone can read and write: copy"),
        ("x", 0o600, "does not hold a private key and its certificate: copy"),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", 0o600, "does not hold a private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(tmp_path, content, mode, message):
    path = tmp_path / "cluster.pem"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(NasgemError, match=message):
        cluster_security(ADDRESS, path)
