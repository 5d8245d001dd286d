"""Prove a credential by a call, renewing it once where it is refused: 401 is the end of a token, not of a sign-in."""

from skill.connection import probe, renew
from skill.connection.setting import Setting
from skill.types import Credential, Reply, Service


def proven(setting: Setting, service: Service, credential: Credential) -> tuple[Reply | None, Credential]:
    """Ask a service whether it accepts a credential.

    Returns:
        Its reply, None where it cannot be asked, and the credential as it is now; a kept one that stays refused is marked so.

    Raises:
        NotSignedIn: its renewal is refused; a person must sign in again.
        TryLater: no reply came.
    """
    base, ask = setting.base(service), setting.ask()
    reply = probe.probe(service, base, credential, ask)
    if reply is None or reply.status != 401:
        return reply, credential
    if credential.renewable:
        new = renew.renew(credential, service, setting.environ, ask)
        if new.token != credential.token:
            reply, credential = probe.probe(service, base, new, ask), new
    if reply is not None and reply.status == 401:
        renew.mark_refused(credential)
    return reply, credential
