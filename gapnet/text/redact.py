"""Remove secrets from text before it is written or shown."""

import re
from collections.abc import Sequence
from typing import Any

HIDDEN = "***"
# Repetitions are bounded, so that the time is linear in the length of the text
SCHEME = r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://"
URL_SECRETS = re.compile(rf"(?P<scheme>{SCHEME})[^\s'\"]{{0,500}}@", re.IGNORECASE)
URL_QUERY = re.compile(rf"(?P<url>{SCHEME}[^\s?#'\"]{{0,500}})[?#][^\s'\"]+", re.IGNORECASE)
# Tokens with a known prefix: Hugging Face, GitHub, AWS, OpenAI, Slack, JWT
TOKENS = re.compile(
    r"\b(?:hf_|gh[pousr]_|github_pat_|AKIA|sk-|xox[abprs]-|eyJ)[A-Za-z0-9_.-]{16,}\b"
)
NAMES = (
    r"(?:password|passwd|pwd|passphrase|secret|token|api_?key|access_?key(?:_?id)?|"
    r"secret_?key|private_?key|credentials?|auth(?:orization)?)"
)
SECRET_KEY = re.compile(rf"(?:^|[._-]){NAMES}$", re.IGNORECASE)
# KEY: VALUE or KEY=VALUE inside a dict or list in text
INNER = re.compile(rf"(?P<key>(?:\b|[._-]){NAMES}\s*[:=]\s*)[^\s,}}\]]+", re.IGNORECASE)
HARMLESS = re.compile(r"true|false|null|[\d.e+-]+", re.IGNORECASE)  # values that are not secret


def redact(text: str) -> str:
    """Replace the user name, password, query and fragment of URLs, and known tokens, by ***.

    >>> redact("data.root=https://me:pass@host/shards?token=abc: cannot be read")
    'data.root=https://***@host/shards?*** cannot be read'
    """
    text = URL_SECRETS.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = URL_QUERY.sub(rf"\g<url>?{HIDDEN}", text)
    return TOKENS.sub(HIDDEN, text)


def is_secret(key: str) -> bool:
    """Return whether the name of a key shows that its value is secret.

    >>> is_secret("hub.api_key"), is_secret("--token"), is_secret("model.token_dim")
    (True, True, False)
    """
    return SECRET_KEY.search(key) is not None


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Replace the secrets of a command line: KEY=VALUE, --key VALUE, and URLs.

    >>> redact_arguments(["train.py", "seed=1", "hub.token=abc", "--password", "abc"])
    ['train.py', 'seed=1', 'hub.token=***', '--password', '***']
    """
    shown = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        key, equals, value = argument.partition("=")
        if equals and is_secret(key) and not HARMLESS.fullmatch(value):
            shown.append(f"{key}={HIDDEN}")
        elif before.startswith("--") and "=" not in before and is_secret(before):
            shown.append(HIDDEN)
        else:
            shown.append(_redact_inside(redact(argument)))
    return shown


def _redact_inside(argument: str) -> str:
    """Replace secrets in a dict or list that is part of an argument."""
    return INNER.sub(rf"\g<key>{HIDDEN}", argument) if set("{[") & set(argument) else argument


def redact_values(values: Any, key: str = "") -> Any:
    """Replace the secrets in nested dicts and lists of plain values."""
    if isinstance(values, dict):
        return {name: redact_values(value, str(name)) for name, value in values.items()}
    if isinstance(values, list):
        return [redact_values(value, key) for value in values]
    if not isinstance(values, str):
        return values
    return HIDDEN if is_secret(key) else redact(values)
