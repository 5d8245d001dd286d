"""What a program that we start finds in its environment: everything of the user's but the secrets."""

from collections.abc import Mapping

_SECRETS = frozenset({"HEROKU_API_TOKEN", "SKILL_OAUTH_CLIENT_SECRET"})
# every service has its own variable, and a service of the user's own may have any name
_ENDING = "_API_KEY"


def is_secret(name: str) -> bool:
    """Tell whether an environment variable holds a secret that no child process needs."""
    return name in _SECRETS or name.endswith(_ENDING)


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """Give an environment without the secrets in it."""
    return {name: value for name, value in environ.items() if not is_secret(name)}
