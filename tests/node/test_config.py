"""Settings: one declaration each, every mistake reported at once, no secret in any message."""

from pathlib import Path

import pytest

from node import config
from node.config import Settings, SettingsInvalid

SECRET = "hunter2-secret"


def problems_of(values: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        config.parse(values)
    return caught.value.problems


def test_every_setting_has_a_name_a_default_that_parses_and_a_sentence() -> None:
    for setting in config.SETTINGS:
        assert setting.name.startswith("TASUKI_")
        assert setting.sentence.endswith(".")
        setting.parse(setting.default)


def test_without_any_setting_the_defaults_hold() -> None:
    settings = config.parse({})
    assert settings == Settings()
    assert settings.database_url == f"sqlite:///{Path('data/tasuki.db').absolute()}"
    assert settings.authority == "127.0.0.1:8080"
    assert settings.send_window.opens_minute == 600


def test_all_mistakes_are_reported_at_once_each_with_its_name() -> None:
    problems = problems_of(
        {
            "TASUKI_LISTEN": "nowhere",
            "TASUKI_SEND_WINDOW": "18:00-10:00",
            "TASUKI_TIME_ZONE": "Moon/Crater",
            "TASUKI_APPROVAL_FROM": "0",
            "TASUKI_DEMO": "yes",
            "TASUKI_MEMBER_ID": "Aoba!",
            "TASUKI_PEER_NETWORKS": "intranet",
            "TASUKI_LOG_LEVEL": "loud",
            "TASUKI_TYPO": "1",
        }
    )
    assert len(problems) == 9
    assert problems[0] == "TASUKI_TYPO is not a setting"


@pytest.mark.parametrize(
    "url",
    [
        "http://tasuki.example.co.jp",
        "https://tasuki.example.co.jp/path",
        "https://user@tasuki.example.co.jp",
        "https://tasuki.example.co.jp?x",
        "https://tasuki.example.co.jp:port",
        "ftp://tasuki.example.co.jp",
        "tasuki.example.co.jp",
    ],
)
def test_a_public_url_that_cannot_be_signed_is_refused(url: str) -> None:
    assert problems_of({"TASUKI_PUBLIC_URL": url})


def test_the_authority_is_lower_case_and_without_the_default_port() -> None:
    settings = config.parse({"TASUKI_PUBLIC_URL": "https://Tasuki.Example.co.jp:443/"})
    assert settings.public_url == "https://tasuki.example.co.jp"
    assert settings.authority == "tasuki.example.co.jp"
    assert config.parse({"TASUKI_PUBLIC_URL": "http://[::1]:8101"}).authority == "[::1]:8101"


def test_the_mail_server_is_read_with_its_protection_and_its_user() -> None:
    url = f"smtp://tas%40uki:{SECRET}@mail.example.co.jp:587?starttls=1"
    server = config.parse({"TASUKI_SMTP_URL": url}).smtp
    assert (server.host, server.port, server.tls) == ("mail.example.co.jp", 587, "starttls")
    assert (server.user, server.password) == ("tas@uki", SECRET)
    implicit = config.parse({"TASUKI_SMTP_URL": "smtps://mail.example.co.jp"}).smtp
    assert (implicit.port, implicit.tls) == (465, "implicit")


def test_the_mailbox_of_bounces_is_read_by_tls_and_its_password_from_a_file(tmp_path: Path) -> None:
    url = "imaps://sai%40yo@mail.example.co.jp/Bounces/This%20year"
    mailbox = config.parse({"TASUKI_BOUNCE_MAILBOX": url}).bounce_mailbox
    assert mailbox is not None
    assert (mailbox.host, mailbox.port) == ("mail.example.co.jp", 993)
    assert (mailbox.user, mailbox.folder) == ("sai@yo", "Bounces/This year")
    for wrong in (
        "imap://saiyo@mail.example.co.jp",
        "imaps://mail.example.co.jp",
        f"imaps://saiyo:{SECRET}@mail.example.co.jp",
        "imaps://saiyo@mail.example.co.jp/a%22b",
        "imaps://saiyo@mail.example.co.jp/a%0D%0Ab",
    ):
        problems = problems_of({"TASUKI_BOUNCE_MAILBOX": wrong})
        assert problems
        assert SECRET not in str(problems)
    (tmp_path / "password").write_text(f"{SECRET}\nmore\n")
    named = {"TASUKI_BOUNCE_PASSWORD_FILE": str(tmp_path / "password")}
    assert config.parse(named).read_bounce_password() == SECRET
    with pytest.raises(SettingsInvalid):
        config.parse({}).read_bounce_password()


def test_no_secret_shows_in_settings_or_in_their_mistakes() -> None:
    settings = config.parse(
        {
            "TASUKI_PASSPHRASE": SECRET,
            "TASUKI_SMTP_URL": f"smtp://u:{SECRET}@h:25",
            "TASUKI_DATABASE_URL": f"postgresql://u:{SECRET}@h/d",
        }
    )
    assert SECRET not in repr(settings)
    mistakes = problems_of({"TASUKI_SMTP_URL": f"smtp://u:{SECRET}/x@h:25"})
    assert SECRET not in str(mistakes)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tasuki.env"
    file.write_text(
        '# A comment.\n\nTASUKI_MEMBER_ID=aoba\nTASUKI_MAIL_FROM="採用 <r@example.jp>"\n',
        encoding="utf-8",
    )
    environment = {"TASUKI_ENV_FILE": str(file), "TASUKI_MEMBER_ID": "biwa", "PATH": "/bin"}
    settings = config.load(environment)
    assert settings.member_id == "biwa"
    assert settings.mail_from == "採用 <r@example.jp>"


@pytest.mark.parametrize("line", ["MEMBER_ID=aoba", "TASUKI_MEMBER_ID", "export TASUKI_DEMO=1"])
def test_a_line_that_is_no_setting_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(SettingsInvalid, match="line 2"):
        config.parse_environment_file(f"# first\n{line}\n")


def test_a_setting_that_stands_twice_in_the_file_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="again"):
        config.parse_environment_file("TASUKI_DEMO=1\nTASUKI_DEMO=0\n")


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="TASUKI_ENV_FILE"):
        config.load({"TASUKI_ENV_FILE": str(tmp_path / "none")})


def test_a_file_that_is_no_text_is_named_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "photo"
    file.write_bytes(b"\xff\xd8secret")
    for read in (
        lambda: config.load({"TASUKI_ENV_FILE": str(file)}),
        lambda: Settings(passphrase_file=file).read_passphrase(),
    ):
        with pytest.raises(SettingsInvalid, match="not a text file") as refused:
            read()
        assert str(file) in str(refused.value)
        assert "secret" not in str(refused.value)


def test_the_passphrase_comes_from_its_setting_or_the_first_line_of_its_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f"{SECRET}\nsecond line\n", encoding="utf-8")
    assert Settings(passphrase=SECRET).read_passphrase() == SECRET
    assert Settings(passphrase_file=file).read_passphrase() == SECRET


def test_a_missing_or_empty_passphrase_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for settings in (
        Settings(),
        Settings(passphrase_file=empty),
        Settings(passphrase_file=tmp_path / "none"),
    ):
        with pytest.raises(SettingsInvalid, match="PASSPHRASE"):
            settings.read_passphrase()


@pytest.mark.parametrize(
    "url", ["http://aoba.example/privacy", "javascript:alert(1)", "https://a b", "aoba.example"]
)
def test_a_privacy_policy_is_a_page_on_the_web(url: str) -> None:
    (problem,) = problems_of({"TASUKI_PRIVACY_URL": url})
    assert "TASUKI_PRIVACY_URL" in problem
