"""In which order a list is asked for. Pure."""

from dataclasses import replace

from skill.faults import BadInput
from skill.types import Options, Plan

LARGEST_PAGE = 1000


def ordered(plan: Plan, options: Options) -> Plan:
    """Give a plan that asks for the order that the caller wants: a header, so that a dry run shows it too.

    Raises:
        BadInput: the list cannot be sorted so, or there is no list.
    """
    if not options.sort and not options.order:
        return plan
    action = plan.action
    if plan.method != "GET" or (action is not None and (action.output or {}).get("type") != "array"):
        raise BadInput("--sort and --order are for what gives a list", hint="leave them out")
    allowed = ("id", *(action.sort if action else ()))
    if options.sort and action and options.sort not in allowed:
        raise BadInput(f"{action.key} cannot be sorted by {options.sort!r}", hint=f"--sort takes {', '.join(allowed)}")
    parts = [f"order={options.order}"] if options.order else []
    parts += [f"max={min(options.limit, LARGEST_PAGE)}"] if options.limit else []
    span = f"{options.sort or allowed[-1]} ..; {','.join(parts)}".rstrip("; ")
    try:
        span.encode("ascii")
    except UnicodeEncodeError:
        raise BadInput("--sort must be the name of a field", hint="for example --sort name") from None
    return replace(plan, headers={**plan.headers, "Range": span})
