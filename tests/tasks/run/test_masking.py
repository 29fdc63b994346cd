"""No password of an address is shown, however it is written and whatever is cut out of it."""

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.run.masking import has_secret, without_secrets
from tasks.run.progress import console, say

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_categories=["Ll"]), min_size=6, max_size=20
)
"""Printable characters, among them @ / : ? # and %, but no small letters, which the words around a secret have."""
WORDS = st.text("abcdefghij klmnop", max_size=20)


def shown(secret: str, text: str) -> bool:
    return secret in text or quote(secret, safe="") in text


@given(SECRETS, WORDS, WORDS, st.sampled_from(["http", "https", "postgresql+psycopg2", "mysql", "s3"]))
def test_the_password_of_an_address_is_hidden_wherever_it_is(secret, before, after, scheme):
    text = f"{before} {scheme}://someone:{secret}@tracker.example:5000/path {after}"
    hidden = without_secrets(text)
    assert not shown(secret, hidden) and "someone" not in hidden
    assert hidden.startswith(f"{before} {scheme}://***@") and hidden.endswith(f" {after}")
    assert without_secrets(hidden) == hidden, "what is hidden stays as it is"


@given(SECRETS)
def test_what_a_library_cuts_out_of_a_known_address_is_hidden(secret):
    assume(not secret.startswith("/"))
    address = f"http://someone:{secret}@tracker.example:5000"
    host, _, path = address.removeprefix("http://").partition("/")
    port = host.partition(":")[2].partition(":")[0].partition("@")[0]
    for text in (
        f"Failed to parse: {address}/api",
        f"Max retries exceeded with url: /{path}/api/2.0" if path else "",
        f"Port could not be cast to integer value as '{port}'",
        f"Invalid password {secret}.",
        f"Invalid password {quote(secret, safe='')}.",
    ):
        hidden = without_secrets(text, address)
        assert not shown(secret, hidden)
        assert f"'{port}'" not in hidden or not port
        end = secret.rpartition("/")[2]
        assert not end or f"{end}@" not in hidden


@given(st.text("abcDEF123-_.~", min_size=4), st.sampled_from(["token", "api_key", "password", "access-token", "sig"]))
def test_tokens_in_queries_are_hidden(secret, name):
    assume("..." not in secret)
    for address in (f"https://tracker.example/x?a=1&{name}={secret}", f"sqlite:///data/x.db?{name}={secret}#y"):
        hidden = without_secrets(f"at {address}")
        assert secret not in hidden.replace(name, "") and f"{name}=***" in hidden


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("http://me:p@ss/w@rd@tracker:5000/x", "http://***@tracker:5000/x"),
        ("http://tracker:5000?token=abc&run=1", "http://tracker:5000?token=***&run=***"),
        ("https://token@tracker", "https://***@tracker"),
        ("postgresql://me:pw@db/runs?sslmode=require", "postgresql://***@db/runs?sslmode=***"),
        ("Authorization: Basic bmFzZ2VtOnNlY3JldA==", "Authorization: Basic ***"),
    ],
)
def test_addresses(address, hidden):
    assert without_secrets(address) == hidden and has_secret(address)


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///data/me@work/mlflow.db",
        "file:///data/me@work/runs",
        "http://127.0.0.1:4200/api",
        "write to me@work.example about key=5, or a/b?c",
        "score.penalty=0.05",
    ],
)
def test_what_has_no_secret_stays(text):
    assert without_secrets(text) == text and not has_secret(text)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "opensesame", "opensesame"),
        ("MLFLOW_TRACKING_TOKEN", "opensesame", "opensesame"),
        ("PREFECT_API_AUTH_STRING", "nasgem:opensesame", "opensesame"),
        ("PREFECT_API_KEY", "opensesame", "opensesame"),
        ("HTTPS_PROXY", "http://me:opensesame@proxy:3128", "opensesame"),
        ("MLFLOW_TRACKING_URI", "https://tracker?token=opensesame", "opensesame"),
    ],
)
def test_secrets_of_the_environment_are_hidden_on_the_terminal(monkeypatch, name, value, secret):
    monkeypatch.setenv(name, value)
    with console.capture() as screen:
        say(f"refused: {secret} is not known")
    assert screen.get() == "refused: *** is not known\n"
