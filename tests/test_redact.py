import pytest

from gapnet.text.redact import redact, redact_arguments, redact_values


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@host/x",
        "s3://me:hunter2@bucket/x: cannot be read",
        "https://me:p@hunter2@host/x",
        "postgresql://me:hunter2@host/db",
        "(https://host/x?token=hunter2)",
        "'https://host/x?a=1&sig=hunter2'",
        "https://host/x#hunter2",
        "HTTPS://me:hunter2@host",
        "key hf_hunter2hunter2hunter2hunter2 used",
        "ghp_hunter2hunter2hunter2hunter2hunter2",
    ],
)
def test_secrets_in_text_are_hidden(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://host/shards",
        "s3://bucket/a/b",
        "mail me@host.org",
        "a ? b : c@d",
        "runs/tiny_gap-shapes/977ff819",
        "user@host:/data?x",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["hub.token=hunter2"],
        ["+model.api_key=hunter2"],
        ["--password=hunter2"],
        ["--hf-token", "hunter2"],
        ["storage=postgresql://me:hunter2@host/db"],
        ["data.root=https://host/x?token=hunter2"],
        ["AWS_SECRET_ACCESS_KEY=hunter2"],
        ["MY_PASSWORD=hunter2"],
    ],
)
def test_secrets_on_a_command_line_are_hidden(arguments: list[str]) -> None:
    assert "hunter2" not in " ".join(redact_arguments(["train.py", *arguments]))


def test_other_arguments_stay() -> None:
    arguments = ["train.py", "model.token_dim=3", "seed=0", "--config-dir", "x", "data.root=a=b"]
    assert redact_arguments(arguments) == arguments


def test_secrets_in_values_are_hidden_and_others_stay() -> None:
    values = {"hub": {"token": "hunter2", "name": "x"}, "token": None, "list": [1, True, "a"]}
    assert redact_values(values) == values | {"hub": {"token": "***", "name": "x"}}


@pytest.mark.parametrize(
    "argument",
    ["+hub={token:hunter2}", "+hub={name: x, token: hunter2}", "train=['hub.token=hunter2']"],
)
def test_secrets_in_a_dict_or_list_on_a_command_line_are_hidden(argument: str) -> None:
    assert "hunter2" not in redact_arguments([argument])[0]


@pytest.mark.parametrize("value", ["false", "3", "1e-3", "null"])
def test_values_that_are_no_secrets_stay(value: str) -> None:
    assert redact_arguments([f"model.class_token={value}"]) == [f"model.class_token={value}"]
    assert redact_values({"class_token": False}) == {"class_token": False}


@pytest.mark.parametrize(
    "text", ["a." * 10**5, "http://" * 10**4, "http://a?" * 10**4, "-" * 10**6]
)
def test_a_hostile_text_is_gone_through_at_all(text: str) -> None:
    """In a time that grows with its square, these would take hours."""
    assert len(redact(text)) <= len(text)
