"""What the stand-in must know of Heroku and cannot tell from the catalog: data only, no rule stands here.

A template such as `{name}` is filled from the object that it is for; `{number}` is a fresh number, `{now}` the time.
"""

from typing import Any, NamedTuple

# resources that are another view of the same things
SAME_KIND = {
    "team-app": "app",
    "filter-apps": "app",
    "team-app-collaborator": "collaborator",
    "add-on-action": "add-on",
    "pipeline-build": "build",
    "pipeline-release": "release",
    "pipeline-deployment": "release",
    "space-transfer": "space",
    "team-space": "space",
    "space-peering": "peering",
    "dyno-process": "dyno",
    "ssh-key": "key",
    "buildpack-registry": "buildpack",
}
# an action that gives another resource's objects than the one it is filed under
KIND_OF_ACTION = {
    "list-team-member-apps": "app",
    "attach-postgres-pooling": "add-on-attachment",
    "list-buildpack-versions": "buildpack-version",
    "get-buildpack-version": "buildpack-version",
    "publish-buildpack-version": "buildpack-version",
    "get-github-account": "github-account",
    "get-github-archive-url": "github-archive",
}

# property names that point at a kind under another name; the first kind counts where nothing tells them apart
POINTS_AT = {
    "addon": ("add-on",),
    "addon_attachment": ("add-on-attachment",),
    "addon_service": ("add-on-service",),
    "user": ("account",),
    "owner": ("account", "team", "app", "space", "enterprise-account"),
    "billing_entity": ("app", "team"),
    "recipient": ("account",),
    "previous_owner": ("account", "team"),
    "new_owner": ("account", "team"),
    "creator": ("account",),
    "actor": ("account",),
    "invited_by": ("account",),
    "added_by": ("account",),
    "organization": ("team",),
    "default_organization": ("team",),
    "default_team": ("team",),
    "build_stack": ("stack",),
}
# an input that says what another property is to be: kind → property → input
SAID_AS = {
    "app": {"organization": "team", "build_stack": "stack"},
    "formation": {"dyno_size": "size"},
    "space": {"team": "new_owner"},
    "team-invitation": {"user": "email"},
    "team-member": {"user": "email"},
    "password-reset": {"user": "email"},
    "release": {"release": "release"},
}
# the part of a name before the mark names another thing
NAMED_BEFORE = {"plan": ("addon_service", ":")}
# names that many things may share
NOT_UNIQUE = frozenset({"pipeline", "oauth-client"})
# two kinds that a third one ties together
TIED = {("app", "pipeline"): "pipeline-coupling"}

# texts that follow from the rest of the object, whenever it changes
FOLLOWING: dict[str, dict[str, str]] = {
    "app": {"git_url": "https://git.heroku.com/{name}.git", "web_url": "https://{name}.herokuapp.com/"},
    "formation": {"size": "{dyno_size[name]}"},
}
# values of a new object that the request does not give; a template is filled in last
BEGINNING: dict[str, dict[str, Any]] = {
    "account": {"email": "person@example.com", "name": "Example Person", "verified": True},
    "add-on": {"name": "{addon_service[name]}-curved-{number}", "billing_entity": {"type": "app"}},
    "add-on-attachment": {"name": "ADDON_{number}"},
    "add-on-service": {"state": "ga"},
    "build": {"stack": "heroku-24", "generation": "cedar"},
    "domain": {"kind": "custom", "status": "succeeded", "cname": "{hostname}.herokudns.com"},
    "dyno": {"type": "run", "name": "run.{number}", "size": "Basic", "state": "up"},
    "enterprise-account-monthly-usage": {"month": "2025-07"},
    "formation": {"command": "npm start", "quantity": 1},
    "inbound-ruleset": {"rules": [{"action": "allow", "source": "0.0.0.0/0"}]},
    "peering": {"status": "pending-acceptance"},
    "pipeline": {"owner": {"type": "user"}},
    "pipeline-transfer": {"previous_owner": {"type": "user"}},
    "plan": {"state": "public", "visible": True},
    "postgres-backup": {
        "created_at": "{now}",
        "started_at": "{now}",
        "finished_at": "{now}",
        "succeeded": True,
        "from_name": "DATABASE",
        "from_type": "pg_dump",
        "to_name": "BACKUP",
        "to_type": "gof3r",
    },
    "rate-limit": {"remaining": 4500},
    "release": {"description": "Deploy {number}", "status": "succeeded", "eligible_for_rollback": True},
    "sni-endpoint": {"name": "endpoint-{number}", "display_name": None},
    "space": {"cidr": "10.0.0.0/16", "data_cidr": "10.1.0.0/16"},
    "team-invitation": {"role": "member"},
    "team-monthly-usage": {"month": "2025-07"},
    "telemetry-drain": {"owner": {"type": "app"}},
    "test-run": {"message": None},
}
# what there is at the start, beside the objects that the examples name
STARTS: dict[str, list[dict[str, Any]]] = {
    "config-var": [{"EXAMPLE": "value"}],
    "dyno-size": [{"name": name} for name in ("eco", "basic", "standard-1x", "standard-2x", "performance-m")],
    "formation": [{"type": "web", "quantity": 1}, {"type": "worker", "quantity": 0, "command": "npm run worker"}],
    "generation": [{"name": "cedar"}, {"name": "fir"}],
    "region": [{"name": "us"}, {"name": "eu"}],
    "release": [
        {"version": 10, "id": "01234567-89ab-cdef-0123-456789abcde0", "description": "Initial release"},
        {"version": 11, "description": "Deploy example"},
    ],
    "stack": [{"name": "heroku-24", "default": True}, {"name": "heroku-22"}, {"name": "container"}],
}
# an action on a thing that changes it in a way its name does not tell: action → values
ACTS = {"accept-peering": {"status": "active"}}


class Fleet(NamedTuple):
    """Things that follow a count: `members` are named `{type}.1` to `{type}.{count}`."""

    members: str
    by: str
    sized: str
    values: dict[str, str]


FLEETS = {"formation": Fleet("dyno", "type", "quantity", {"command": "{command}", "size": "{dyno_size[name]}"})}


class Follow(NamedTuple):
    """What comes of a deed: when `kind` is made, changed, removed or acted on (`on`), a `makes` is made with `values`.

    `action` narrows it to one action; `each` makes one for every item of that input; `takes` is the property of the
    first object that then points at what was made; `instead` takes the first object's place in the reply and in state.
    """

    on: str
    kind: str
    makes: str
    values: dict[str, Any]
    action: str = ""
    each: str = ""
    takes: str = ""
    instead: bool = False


FOLLOWS = (
    Follow("create", "app", "release", {"description": "Initial release"}),
    Follow("create", "app", "domain", {"hostname": "{name}.herokuapp.com", "kind": "heroku", "cname": None}),
    Follow("create", "app", "collaborator", {"user": "{owner[email]}", "role": "owner"}),
    Follow("set", "config-var", "release", {"description": "Set {inputs} config vars"}),
    Follow("create", "add-on", "release", {"description": "Attach {addon_service[name]} (@{name})"}),
    Follow(
        "create", "add-on", "add-on-attachment", {"name": "{given[attachment][name]}", "app": "{app[name]}", "addon": "{name}"}
    ),
    Follow("remove", "add-on", "release", {"description": "Detach {addon_service[name]} (@{name})"}),
    Follow("create", "build", "release", {"description": "Deploy {id}"}, takes="release"),
    Follow("create", "pipeline-promotion", "pipeline-promotion-target", {"status": "succeeded"}, each="targets"),
    Follow(
        "act",
        "team-invitation",
        "team-member",
        {"email": "{user[email]}", "role": "{role}"},
        "accept-team-invitation",
        instead=True,
    ),
)
# an input of an action that names an earlier thing of the kind, whose values the new one takes
TAKES_AFTER = {"rollback-release": ("release", {"description": "Rollback to v{version}"})}
# a thing whose making starts others anew, so that they point at it
RENEWS = {"release": "dyno"}
