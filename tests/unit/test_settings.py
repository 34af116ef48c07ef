from __future__ import annotations

from pathlib import Path

import pytest

from triage.errors import Configuration
from triage.settings import ImapSource, MaildirSource, RecordingsSource, load, settings_file

FULL = """\
[business]
name = "Brightwater"
sells = "pumps."
places = ["Ohio"]

[store]
data_dir = "data"

[[sources]]
kind = "imap"
name = "inbox"
host = "mail.example.org"
username = "sales"
password_file = "secrets/mail"
ca_file = "/etc/ca.pem"

[[sources]]
kind = "maildir"
name = "archive"
path = "mail"

[[sources]]
kind = "recordings"
name = "calls"
path = "~/calls"

[[destinations]]
name = "crm"
url = "https://crm.example.org/leads"
secret = "whsec_c2VjcmV0LXZhbHVl"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "conf" / "triage.toml"
    path.parent.mkdir()
    path.write_text(FULL, encoding="utf-8")
    return path


def problem(tmp_path: Path, text: str) -> str:
    path = tmp_path / "triage.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Configuration) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_defaults_need_no_file() -> None:
    settings = load(None)
    assert settings.sources == ()
    assert settings.store.data_dir == Path.cwd() / "var"
    assert settings.store.url == f"sqlite:///{Path.cwd() / 'var' / 'triage.db'}"


def test_relative_paths_are_relative_to_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(file.parent)
    settings = load(Path("triage.toml"))
    monkeypatch.chdir("/")
    imap, maildir, recordings = settings.sources
    assert isinstance(imap, ImapSource)
    assert isinstance(maildir, MaildirSource)
    assert isinstance(recordings, RecordingsSource)
    assert settings.store.data_dir == file.parent / "data"
    assert imap.password_file == file.parent / "secrets" / "mail"
    assert imap.ca_file == Path("/etc/ca.pem")
    assert maildir.path == file.parent / "mail"
    assert recordings.path == Path("/home/somebody/calls")


def test_the_environment_overrides_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_BUSINESS__NAME", "Darkwater")
    monkeypatch.setenv("TRIAGE_STORE__DATA_DIR", "/var/lib/triage")
    monkeypatch.setenv("TRIAGE_DECISION__FORWARD_SCORE", "45")
    settings = load(file)
    assert settings.business.name == "Darkwater"
    assert settings.business.sells == "pumps."  # the rest of the table stays
    assert settings.store.data_dir == Path("/var/lib/triage")
    assert settings.decision.forward_score == 45
    assert len(settings.sources) == 3


def test_the_profile_is_one_line(file: Path) -> None:
    assert load(file).business.profile == "Brightwater. pumps. Ohio"
    assert load(None).business.profile == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[stoer]\n", "stoer"),
        ("[store]\ndata_dirr = 'x'\n", "store.data_dirr"),
        ("[[sources]]\nkind = 'maildir'\nname = 'a'\npath = 'x'\npol_every = 3\n", "pol_every"),
        ("[[sources]]\nkind = 'pop3'\nname = 'a'\n", "sources.0"),
        ("[limits]\nmail_bytes = 0\n", "limits.mail_bytes"),
        ("[decision]\nlead_floor = 1.5\n", "decision.lead_floor"),
        ("[[destinations]]\nname = 'crm'\nurl = 'crm.example.org'\n", "destinations.0.url"),
        ("[[sources]]\nkind = 'maildir'\nname = 'Has Spaces'\npath = 'x'\n", "name"),
        ("[business]\ncountry = 'USA'\n", "business.country"),
        ("business = \n", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    assert named in problem(tmp_path, text)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    told = problem(tmp_path, "[limits]\nmail_bytes = 0\nmail_parts = 'many'\n[stoer]\n")
    assert len(told.splitlines()) == 4


def test_names_must_differ(tmp_path: Path) -> None:
    source = "[[sources]]\nkind = 'maildir'\nname = 'a'\npath = 'x'\n"
    assert "two sources are named 'a'" in problem(tmp_path, source + source)


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="triage init"):
        load(tmp_path / "triage.toml")


@pytest.mark.parametrize("host", ["mail.example.org", "10.0.0.5", "localhost.example.org"])
def test_a_password_is_never_sent_in_clear_to_another_machine(tmp_path: Path, host: str) -> None:
    source = (
        f"[[sources]]\nkind = 'imap'\nname = 'a'\nhost = '{host}'\nusername = 'u'\n"
        "password = 'correct-horse'\nsecurity = 'none'\n"
    )
    told = problem(tmp_path, source)
    assert "in clear" in told
    assert "correct-horse" not in told


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_server_on_this_machine_may_go_without_tls(host: str) -> None:
    ImapSource(name="a", kind="imap", host=host, username="u", security="none")


def test_secrets_are_in_no_text_of_the_settings(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load(file)
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "c2VjcmV0" not in text
    assert settings.destinations[0].signing_secrets == ("whsec_c2VjcmV0LXZhbHVl",)
    monkeypatch.setenv("TRIAGE_STORE__DATABASE_URL", "postgresql://triage:hunter2@db/triage")
    settings = load(file)
    assert "hunter2" not in repr(settings)
    assert "hunter2" in settings.store.url


def test_a_wrong_value_is_not_repeated_where_it_may_be_secret(tmp_path: Path) -> None:
    told = problem(
        tmp_path,
        "[[destinations]]\nname = 'crm'\nurl = 'https://x.example'\nsecret = ['whsec_abc']\n",
    )
    assert "destinations.0.secret" in told
    assert "whsec_abc" not in told


def test_a_secret_file_is_read_when_it_is_needed(file: Path) -> None:
    imap = load(file).sources[0]
    assert isinstance(imap, ImapSource)
    with pytest.raises(Configuration, match=r"source 'inbox': password: cannot read secret file"):
        _ = imap.secret
    assert imap.password_file is not None
    imap.password_file.parent.mkdir()
    imap.password_file.write_text("pä ss\n", encoding="utf-8")
    assert imap.secret == "pä ss"


def test_a_secret_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xff\xfe")
    source = ImapSource(name="a", kind="imap", host="localhost", username="u", password_file=path)
    with pytest.raises(Configuration, match="not UTF-8"):
        _ = source.secret


def test_a_missing_secret_is_named() -> None:
    source = ImapSource(name="a", kind="imap", host="localhost", username="u")
    with pytest.raises(Configuration, match="source 'a': password: neither"):
        _ = source.secret


def test_the_file_is_found_in_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_SETTINGS", raising=False)
    assert settings_file(None) is None
    (tmp_path / "triage.toml").touch()
    assert settings_file(None) == Path("triage.toml")
    monkeypatch.setenv("TRIAGE_SETTINGS", "/etc/triage.toml")
    assert settings_file(None) == Path("/etc/triage.toml")
    assert settings_file(Path("mine.toml")) == Path("mine.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[taxonomy.trade]\nbase = "lead"\noutcome = "file"\n', "not possible for base = 'lead'"),
        ('[taxonomy.trade]\nbase = "spam"\noutcome = "forward"\n', "file or review"),
        ('[taxonomy.spam]\nbase = "lead"\n', "one of the nine"),
        ('[taxonomy.trade]\nbase = "wholesale"\n', "taxonomy.trade.base"),
    ],
)
def test_own_labels_are_checked(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "triage.toml").write_text(text)
    with pytest.raises(Configuration, match=problem):
        load(tmp_path / "triage.toml")


def test_files_of_known_contacts_are_found_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "triage.toml").write_text('[rules]\ncustomers = ["crm.csv"]\n')
    assert load(tmp_path / "triage.toml").rules.customers == (tmp_path / "crm.csv",)
