import os

import pytest

from flows.runtime.prefect_settings import settings_of_own_server

OTHERS = {
    "PREFECT_SERVER_API_AUTH_STRING": "a:b",
    "PREFECT_API_AUTH_STRING": "a:b",
    "PREFECT_API_KEY": "pnu_1234",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://me:secret@db/prefect",
    "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://me:secret@db/prefect",
    "PREFECT_LOCAL_STORAGE_PATH": "/x",
    "PREFECT_RESULTS_LOCAL_STORAGE_PATH": "/x",
    "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK": "s3-bucket/mine",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "pickle",
    "PREFECT_SERVER_API_BASE_PATH": "/elsewhere",
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_CLIENT_CUSTOM_HEADERS": '{"a": "b"}',
    "PREFECT_PROFILE": "mine",
    "PREFECT_PROFILES_PATH": "/x/profiles.toml",
    "PREFECT_UI_API_URL": "https://prefect.example/api",
    "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
}
OURS = {"PREFECT_HOME": "here", "PREFECT_TASKS_REFRESH_CACHE": "true", "PREFECT_LOGGING_LEVEL": "DEBUG"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setattr(os, "environ", {**OTHERS, **OURS, "HOME": "home"})
    return dict(os.environ)


def test_settings_for_another_server_are_set_aside_and_come_back(environment):
    with settings_of_own_server("http://127.0.0.1:1/api", "nasgem:secret") as server:
        for name in OTHERS:
            assert os.environ.get(name) in (None, "nasgem:secret"), name
        assert OURS.items() <= os.environ.items() and os.environ["HOME"] == "home"
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
        assert os.environ["PREFECT_API_AUTH_STRING"] == "nasgem:secret"
        assert "PREFECT_SERVER_API_AUTH_STRING" not in os.environ, "only the server has to know it as its own"
        assert server == {**os.environ, "PREFECT_SERVER_API_AUTH_STRING": "nasgem:secret"}
        os.environ["PREFECT_API_URL"] = "changed"
    assert {name: os.environ.get(name) for name in environment} == environment
    assert "PREFECT_API_URL" not in os.environ


def test_they_come_back_after_an_error(environment):
    with pytest.raises(KeyError), settings_of_own_server("http://127.0.0.1:1/api", "nasgem:secret"):
        raise KeyError
    assert {name: os.environ.get(name) for name in environment} == environment
    assert "PREFECT_API_URL" not in os.environ


@pytest.mark.parametrize(("folder", "database"), [("plain #1 50%", None), ("what now?", ".nasgem/prefect/prefect.db")])
def test_the_database_is_in_the_folder_whatever_its_name(tmp_path, monkeypatch, folder, database):
    home = tmp_path / folder / ".nasgem" / "prefect"
    home.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.setenv("PREFECT_HOME", str(home))
    with settings_of_own_server("http://127.0.0.1:1/api", "a:b") as environment:
        address = environment.get("PREFECT_SERVER_DATABASE_CONNECTION_URL")
    assert address == (database and f"sqlite+aiosqlite:///{database}")
