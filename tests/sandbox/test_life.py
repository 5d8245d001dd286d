"""What happens to apps and what belongs to them, over several requests."""

import json


def names(things, name="name"):
    return [thing[name] for thing in things]


def test_life_of_an_app(ask):
    """An app is made, scaled, set up, read back and deleted, and then it is gone."""
    made = ask("POST", "/apps", {"name": "shop", "region": "eu"}, 201)
    assert (made["name"], made["region"]["name"], made["web_url"]) == ("shop", "eu", "https://shop.herokuapp.com/")
    ask("PATCH", "/apps/shop/formation", {"updates": [{"type": "web", "quantity": 3}]})
    assert names(ask("GET", "/apps/shop/dynos")) == ["web.1", "web.2", "web.3"]
    ask("PATCH", "/apps/shop/config-vars", {"GREETING": "hello"})
    assert ask("GET", "/apps/shop/config-vars") == {"GREETING": "hello"}
    assert ask("DELETE", "/apps/shop")["id"] == made["id"]
    assert ask("GET", "/apps/shop", status=404) == {"id": "not_found", "message": "Couldn't find that app."}


def test_start(ask):
    """The sandbox starts with an app that has one web dyno, a release, a config var and an owner."""
    assert names(ask("GET", "/apps")) == ["example"]
    assert [(one["type"], one["quantity"]) for one in ask("GET", "/apps/example/formation")] == [("web", 1), ("worker", 0)]
    assert [(one["name"], one["state"]) for one in ask("GET", "/apps/example/dynos")] == [("web.1", "up")]
    assert ask("GET", "/apps/example/config-vars") == {"EXAMPLE": "value"}
    assert [one["current"] for one in ask("GET", "/apps/example/releases")] == [False, True]
    assert ask("GET", "/apps/example")["owner"]["email"] == "person@example.com"
    assert names(ask("GET", "/pipelines")) == ["example"]


def test_same_thing_by_any_name(ask):
    """A thing is found by its id as by its name, and below a parent that is named either way."""
    app = ask("GET", "/apps/example")
    release = ask("GET", "/apps/example/releases/11")
    assert ask("GET", f"/apps/{app['id']}") == app
    assert ask("GET", f"/apps/{app['id']}/releases/{release['id']}") == release
    assert ask("GET", "/users/~") == ask("GET", "/account") == ask("GET", "/users/person%40example.com")


def test_renamed_app_is_renamed_everywhere(ask):
    """A new name stands wherever the app is mentioned, in its addresses too, and the old one is free."""
    ask("PATCH", "/apps/example", {"name": "renamed"})
    assert ask("GET", "/apps/example", status=404)
    assert ask("GET", "/apps/renamed")["git_url"] == "https://git.heroku.com/renamed.git"
    assert ask("GET", "/apps/renamed/domains/www.example.com")["app"]["name"] == "renamed"
    assert {one["app"]["name"] for one in ask("GET", "/addons")} == {"renamed"}
    assert {one["addon"]["app"]["name"] for one in ask("GET", "/addon-attachments")} == {"renamed"}


def test_taken_name_is_refused(ask):
    """A name that something has cannot be given again, by creating or by renaming."""
    refused = {"id": "invalid_params", "message": "Name example is already taken"}
    assert ask("POST", "/apps", {"name": "example"}, 422) == refused
    ask("POST", "/apps", {"name": "shop"}, 201)
    assert ask("PATCH", "/apps/shop", {"name": "example"}, 422) == refused


def test_stand_in_makes_way_once(ask):
    """What stands in for an example makes way for the first of its name that is made, and not for a second."""
    domain = {"hostname": "www.example.com", "sni_endpoint": None}
    ask("POST", "/apps/example/domains", domain, 201)
    assert ask("POST", "/apps/example/domains", domain, 422)["message"] == "Hostname www.example.com is already taken"
    assert names(ask("GET", "/apps/example/domains"), "hostname") == ["www.example.com"]


def test_delete_takes_what_lies_below(ask):
    """With an app goes what belongs to it, wherever it is listed; what only mentions it forgets it."""
    ask("DELETE", "/apps/example")
    assert ask("GET", "/pipeline-couplings") == []
    assert ask("GET", "/addons") == []
    assert names(ask("GET", "/pipelines")) == ["example"]


def test_null_takes_a_config_var_away(ask):
    """A config var that is set to null is gone, and every change makes a release that says which."""
    ask("PATCH", "/apps/example/config-vars", {"A": "1", "B": "2"})
    assert ask("PATCH", "/apps/example/config-vars", {"A": None, "EXAMPLE": None}) == {"B": "2"}
    releases = ask("GET", "/apps/example/releases")
    assert [(one["version"], one["current"]) for one in releases] == [(10, False), (11, False), (12, False), (13, True)]
    assert releases[-1]["description"] == "Set A, EXAMPLE config vars"


def test_old_release_keeps_its_settings(ask):
    """The config vars of a release stay as they were when they were first looked at."""
    ask("GET", "/apps/example/releases/11/config-vars")
    ask("PATCH", "/apps/example/config-vars", {"LATER": "yes"})
    assert ask("GET", "/apps/example/releases/11/config-vars") == {"EXAMPLE": "value"}


def test_rollback_makes_a_release(ask):
    """A rollback is a new release that says which one it went back to; one to nothing is refused."""
    release = ask("GET", "/apps/example/releases/10")
    made = ask("POST", "/apps/example/releases", {"release": release["id"]}, 201)
    assert (made["version"], made["description"], made["current"]) == (12, "Rollback to v10", True)
    assert ask("GET", "/apps/example/releases/10")["current"] is False
    ask("POST", "/apps/example/releases", {"release": "no-such-release"}, 404)


def test_build_is_done_when_read_next(ask):
    """A new build is pending; read again it has succeeded, and points at the release that it made."""
    made = ask("POST", "/apps/example/builds", {"source_blob": {"url": "https://example.com/x.tgz"}}, 201)
    assert made["status"] == "pending"
    read = ask("GET", f"/apps/example/builds/{made['id']}")
    assert read["status"] == "succeeded"
    assert ask("GET", f"/apps/example/releases/{read['release']['id']}")["current"] is True


def test_restart_starts_anew(ask):
    """A restart gives the dynos back under their names as new ones, and ends one-off dynos."""
    before = ask("GET", "/apps/example/dynos/web.1")
    ask("POST", "/apps/example/dynos", {"command": "bash"}, 201)
    reply = ask.send("DELETE", "/apps/example/dynos")
    assert (reply.status, json.loads(reply.body)) == (202, {})
    after = ask("GET", "/apps/example/dynos")
    assert names(after) == ["web.1"]
    assert after[0]["id"] != before["id"]


def test_restart_of_one_type_leaves_the_others(ask):
    """Restarting one process type does not touch the dynos of another."""
    ask("PATCH", "/apps/example/formation/worker", {"quantity": 1})
    before = ask("GET", "/apps/example/dynos")
    ask("DELETE", "/apps/example/formations/worker")
    after = {one["name"]: one["id"] for one in ask("GET", "/apps/example/dynos")}
    assert [after[one["name"]] == one["id"] for one in before] == [True, False]


def test_scaling_one_type(ask):
    """Scaling up and down adds and takes away dynos; a type that the app has not is not found."""
    scaled = ask("PATCH", "/apps/example/formation/web", {"quantity": 4, "dyno_size": {"name": "standard-2x"}})
    assert (scaled["quantity"], scaled["size"]) == (4, "standard-2x")
    ask("PATCH", "/apps/example/formation/web", {"quantity": 2})
    assert [(one["name"], one["size"]) for one in ask("GET", "/apps/example/dynos")] == [
        ("web.1", "standard-2x"),
        ("web.2", "standard-2x"),
    ]
    ask("PATCH", "/apps/example/formation", {"updates": [{"type": "clock", "quantity": 1}]}, 404)


def test_addon_is_listed_everywhere(ask):
    """A new add-on is in all lists that it belongs to, has an attachment and makes a release."""
    addon = ask("POST", "/apps/example/addons", {"plan": "heroku-redis:mini", "attachment": {"name": "CACHE"}}, 201)
    assert (addon["state"], addon["addon_service"]["name"]) == ("provisioning", "heroku-redis")
    assert ask("GET", f"/addons/{addon['name']}")["state"] == "provisioned"
    for path in ("/addons", "/apps/example/addons", "/users/~/addons"):
        assert addon["id"] in names(ask("GET", path), "id")
    assert ask("GET", f"/addons/{addon['id']}/addon-attachments")[0]["name"] == "CACHE"
    assert ask("GET", "/teams/example-team/addons") == []


def test_team_app(ask):
    """An app of a team is listed with the team's apps and under its own name; another app is not."""
    ask("POST", "/teams/apps", {"name": "ours", "team": "example-team"}, 201)
    assert names(ask("GET", "/teams/example-team/apps")) == ["ours"]
    assert ask("GET", "/teams/apps/ours")["team"]["name"] == "example-team"
    assert names(ask("GET", "/apps")) == ["example", "ours"]


def test_app_handed_to_a_team(ask):
    """The same path hands an app to a team or to a person, or locks it, as the body says."""
    ask("PATCH", "/teams/apps/example", {"owner": "example-team"})
    assert ask("GET", "/apps/example")["team"]["name"] == "example-team"
    ask("PATCH", "/teams/apps/example", {"locked": True})
    ask("PATCH", "/teams/apps/example", {"owner": "person@example.com"})
    assert ask("GET", "/apps/example")["team"] is None
    assert ask("GET", "/teams/apps/example")["locked"] is True


def test_coupling_ties_app_and_pipeline(ask):
    """An app's coupling is found from the app, from the pipeline and by itself; builds are found through it."""
    pipeline = ask("GET", "/pipelines/example")["id"]
    ask("POST", "/apps", {"name": "shop"}, 201)
    ask("GET", "/apps/shop/pipeline-couplings", status=404)
    made = ask("POST", "/pipeline-couplings", {"app": "shop", "pipeline": pipeline, "stage": "production"}, 201)
    assert ask("GET", "/apps/shop/pipeline-couplings") == ask("GET", f"/pipeline-couplings/{made['id']}") == made
    assert made in ask("GET", f"/pipelines/{pipeline}/pipeline-couplings")
    assert len(ask("GET", f"/pipelines/{pipeline}/latest-builds")) == 1


def test_missing_thing_in_a_body(ask):
    """A body that names an app that is not there is refused like a path that does."""
    body = {"app": "no-such-app", "pipeline": "01234567-89ab-cdef-0123-456789abcdef", "stage": "staging"}
    assert ask("POST", "/pipeline-couplings", body, 404)["message"] == "Couldn't find that app."


def test_switch(ask):
    """A feature of the app that has a path of its own is switched on and off there."""
    assert ask("POST", "/apps/example/acm")["acm"] is True
    assert ask("DELETE", "/apps/example/acm")["acm"] is False


def test_regenerated_secret(ask):
    """Making secrets anew changes them, and they stay changed."""
    path = "/oauth/clients/01234567-89ab-cdef-0123-456789abcdef"
    before = ask("GET", path)["secret"]
    after = ask("POST", f"{path}/actions/rotate-credentials")["secret"]
    assert before != after == ask("GET", path)["secret"]


def test_accepted_invitation(ask):
    """Who accepts an invitation becomes a member, and the invitation is gone."""
    ask("PUT", "/teams/example-team/invitations", {"email": "new@example.com", "role": "member"})
    [old, new] = ask("GET", "/teams/example-team/invitations")
    ask("POST", f"/teams/invitations/{new['id']}/accept")
    assert "new@example.com" in names(ask("GET", "/teams/example-team/members"), "email")
    assert names(ask("GET", "/teams/example-team/invitations"), "id") == [old["id"]]


def test_put_replaces_a_list(ask):
    """A PUT of a list takes the place of what was there, in the order given."""
    updates = [{"buildpack": "heroku/nodejs"}, {"buildpack": "heroku/python"}]
    ask("PUT", "/apps/example/buildpack-installations", {"updates": updates})
    ask("PUT", "/apps/example/buildpack-installations", {"updates": updates[::-1]})
    listed = ask("GET", "/apps/example/buildpack-installations")
    assert [one["buildpack"]["name"] for one in listed] == ["heroku/python", "heroku/nodejs"]


def test_config_that_is_switched_off(ask):
    """What is enabled by POST and disabled by DELETE is there in between only."""
    path = "/pipelines/example/review-app-config"
    ask("DELETE", path)
    ask("GET", path, status=404)
    ask("POST", path, {"repo": "org/example", "stale_days": 3}, 201)
    assert ask("GET", path)["stale_days"] == 3


def test_what_every_parent_has(ask):
    """A new team has preferences and features without anyone making them."""
    ask("POST", "/teams", {"name": "new-team"}, 201)
    assert "addons-controls" in ask("GET", "/teams/new-team/preferences")
    assert ask("GET", "/teams/new-team/features/example-feature")["name"] == "example-feature"


def test_questions(ask):
    """Add-ons are found by the name of their attachment, apps by a list of ids; nothing is made by asking."""
    assert names(ask("POST", "/actions/addons/resolve", {"addon": "DATABASE", "app": "example"})) == ["postgresql-curved-12345"]
    ask("POST", "/actions/addons/resolve", {"addon": "no-such-addon"}, 404)
    assert ask("POST", "/filters/apps", {"in": {"id": ["11111111-1111-1111-1111-111111111111"]}}) == []
