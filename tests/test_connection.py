"""Where a credential comes from, and the hosts that it may go to."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill.catalog import Catalog
from skill.connection import base_of, find, may_sign
from skill.faults import BadInput, NotSignedIn
from skill.types import Service

NETRC = "machine api.heroku.com\n  login me@example.com\n  password {}\nmachine git.heroku.com login x password other\n"


@pytest.fixture
def heroku(catalog: Catalog) -> Service:
    """The built-in service."""
    return catalog.services["heroku"]


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """The environment of a user who has a home and nothing else."""
    return {"HOME": str(home)}


def netrc(environ: dict[str, str], content: str, name: str = ".netrc") -> None:
    """Write a netrc file as a careful user has it."""
    path = Path(environ["HOME"]) / name
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)


def test_the_variable_comes_before_the_file(heroku: Service, environ: dict[str, str]) -> None:
    """HEROKU_API_KEY is used before the netrc file, and the credential says where it was found."""
    netrc(environ, NETRC.format("from-file"))
    assert (find(heroku, environ).token, find(heroku, environ).source) == ("from-file", str(Path(environ["HOME"]) / ".netrc"))
    signed = find(heroku, {**environ, "HEROKU_API_KEY": " from-variable\n"})
    assert (signed.token, signed.source) == ("from-variable", "HEROKU_API_KEY")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_variable_is_none(heroku: Service, environ: dict[str, str], blank: str) -> None:
    """A blank variable is no credential, and the next source counts."""
    netrc(environ, NETRC.format("from-file"))
    assert find(heroku, {**environ, "HEROKU_API_KEY": blank}).token == "from-file"


def test_without_a_credential_it_is_said_how_to_get_one(heroku: Service, environ: dict[str, str]) -> None:
    """With no credential at all the fault names the variable and the sandbox."""
    with pytest.raises(NotSignedIn) as missing:
        find(heroku, environ)
    assert "HEROKU_API_KEY" in missing.value.hint
    assert "--sandbox" in missing.value.hint


@pytest.mark.parametrize(
    "token", ["HRKU-ab**********cd", "two words", "line\nbreak", "tokén", "tab\tbed", "nul\x00", "zero\u200bwidth"]
)
def test_an_unusable_token_is_refused_and_not_quoted(heroku: Service, environ: dict[str, str], token: str) -> None:
    """A shortened token, or one that no header can carry, is refused before anything is sent, without quoting it."""
    with pytest.raises(NotSignedIn) as unusable:
        find(heroku, {**environ, "HEROKU_API_KEY": token})
    assert unusable.value.code == "bad_credential"
    assert token not in str(unusable.value.as_json())


def test_a_credential_is_kept_out_of_its_repr(heroku: Service, environ: dict[str, str]) -> None:
    """A credential that is printed by mistake shows no token."""
    assert "s3cr3t" not in repr(find(heroku, {**environ, "HEROKU_API_KEY": "s3cr3t"}))


@pytest.mark.parametrize(
    "content",
    [
        NETRC,
        "machine api.heroku.com login me password {}",
        "# a remark\nmachine other login x password y\n\nmachine api.heroku.com password {} login me\n",
        'machine api.heroku.com login me password "{}"\n',
        "macdef init\necho\n\nmachine api.heroku.com login me password {}\n",
        "default login x password other\nmachine api.heroku.com login me password {}\n",
    ],
)
def test_every_form_of_netrc_is_read(heroku: Service, environ: dict[str, str], content: str) -> None:
    """An entry of the netrc file is found on one line or many, quoted, after remarks, macros and other machines."""
    netrc(environ, content.format("t0ken"))
    assert find(heroku, environ).token == "t0ken"


def test_the_windows_name_of_netrc_is_read(heroku: Service, environ: dict[str, str]) -> None:
    """The file may be named _netrc."""
    netrc(environ, NETRC.format("t0ken"), "_netrc")
    assert find(heroku, environ).token == "t0ken"


@pytest.mark.parametrize("content", ["", "machine git.heroku.com login x password y\n", "default login x password y\n"])
def test_a_netrc_without_the_host_has_no_credential(heroku: Service, environ: dict[str, str], content: str) -> None:
    """An entry for another host, or a default one, is never used."""
    netrc(environ, content)
    with pytest.raises(NotSignedIn, match="no credential"):
        find(heroku, environ)


@pytest.mark.parametrize(
    "content",
    [b"machine api.heroku.com\n  pasword s3cr3t\n", b"s3cr3t\n", b"\xff\xfes3cr3t", b'machine api.heroku.com login "s3cr3t'],
)
def test_a_broken_netrc_is_named_and_never_quoted(heroku: Service, environ: dict[str, str], content: bytes) -> None:
    """A netrc file that cannot be read is named, with the line where it is known, and nothing of it is quoted."""
    path = Path(environ["HOME"]) / ".netrc"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(NotSignedIn) as broken:
        find(heroku, environ)
    whole = f"{broken.value} {broken.value.as_json()} {broken.value.__cause__}"
    assert "s3cr3t" not in whole


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("heroku.com", "https://api.heroku.com"),
        ("herokudev.com", "https://api.herokudev.com"),
        ("eu.herokai.com", "https://api.eu.herokai.com"),
        ("https://api.staging.herokudev.com/", "https://api.staging.herokudev.com"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("", "https://api.heroku.com"),
        ("  ", "https://api.heroku.com"),
    ],
)
def test_heroku_host_moves_the_api(heroku: Service, given: str, base: str) -> None:
    """HEROKU_HOST takes the forms that Heroku's own command line takes."""
    assert base_of(heroku, {"HEROKU_HOST": given}) == base


@pytest.mark.parametrize(
    "given",
    [
        "evil.com",
        "https://evil.com",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "https://evil.com/.heroku.com",
        "https://heroku.com@evil.com",
        "https://me:pw@api.heroku.com",
        "https://api.heroku.com/path",
        "https://api.heroku.com?x",
        "https://api.heroku.com#x",
        "http://api.heroku.com",
        "notheroku.com",
        "https://xheroku.com",
        "https://heroku.com.evil.com",
        "https://heroku.com\\.evil.com",
        "https://",
        "ftp://heroku.com",
        "http://localhost:99999",
        "evil.com#.heroku.com",
        "evil.com/.heroku.com",
    ],
)
def test_heroku_host_never_moves_the_token_away(heroku: Service, given: str) -> None:
    """HEROKU_HOST with any other host, a user, a path or plain http is refused."""
    with pytest.raises(BadInput) as refused:
        base_of(heroku, {"HEROKU_HOST": given})
    assert refused.value.code == "host_not_allowed"


@given(st.text(alphabet="abheroku.com/@:?#\\-%1"), st.sampled_from(["", "https://", "http://"]))
def test_any_accepted_host_is_one_that_may_be_signed_for(catalog: Catalog, text: str, scheme: str) -> None:
    """Whatever HEROKU_HOST holds, it is refused or names an origin of Heroku or of this machine."""
    heroku = catalog.services["heroku"]
    try:
        base = base_of(heroku, {"HEROKU_HOST": scheme + text})
    except BadInput:
        return
    assert may_sign(heroku, base)


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://api.heroku.com/apps", True),
        ("https://API.HEROKU.COM/apps", True),
        ("https://heroku.com", True),
        ("http://api.heroku.com/apps", False),
        ("https://evil.com/api.heroku.com", False),
        ("https://api.heroku.com.evil.com", False),
        ("https://api.heroku.com@evil.com", False),
        ("https://bucket.s3.amazonaws.com/x", False),
        ("https://shop.herokuapp.com/", False),
        ("https://api.heroku.com:99999/", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_the_token_goes_only_to_bound_hosts(heroku: Service, url: str, may: bool) -> None:
    """The token may go to Heroku's own domains over https, and nowhere else."""
    assert may_sign(heroku, url) is may


def test_a_users_service_cannot_widen_the_hosts(heroku: Service) -> None:
    """A service.yaml that names heroku with another base gets no signature for that base."""
    assert not may_sign(replace(heroku, base="https://evil.com", domain="evil.com"), "https://evil.com/apps")


def test_another_service_signs_for_its_own_host_alone(heroku: Service) -> None:
    """A user's own service takes its own variable, and its credential goes to the host of its base alone."""
    other = replace(heroku, name="my-thing", base="https://thing.example")
    assert find(other, {"HOME": "/none", "MY_THING_API_KEY": "t"}).token == "t"
    assert may_sign(other, "https://thing.example/x")
    assert not may_sign(other, "https://sub.thing.example/x")
    assert not may_sign(other, "http://thing.example/x")


def test_a_users_service_cannot_borrow_the_variable(heroku: Service) -> None:
    """A service whose name differs from heroku in its capitals alone does not take Heroku's token elsewhere."""
    other = replace(heroku, name="Heroku", base="https://evil.com")
    with pytest.raises(NotSignedIn):
        find(other, {"HOME": "/none", "HEROKU_API_KEY": "t"})


def test_a_users_service_cannot_move_the_token_to_this_machine(heroku: Service) -> None:
    """A service.yaml that names heroku with a base on this machine gets no signature; only HEROKU_HOST moves the API there."""
    assert not may_sign(replace(heroku, base="http://127.0.0.1:8000"), "http://127.0.0.1:8000/apps")


@pytest.mark.parametrize("given", ["http://[::1", "]", "http://[x]"])
def test_a_broken_address_is_refused_like_any_other(heroku: Service, given: str) -> None:
    """HEROKU_HOST with a broken IPv6 address is refused as no host of Heroku."""
    with pytest.raises(BadInput):
        base_of(heroku, {"HEROKU_HOST": given})
