"""Every command explains itself, and whoever names one, in the README or its help, names one."""

import re

import pytest
from document import IN_LINE, blocks
from naming import COMMANDS, assert_is_a_command

each_command = pytest.mark.parametrize("name", list(COMMANDS))


@each_command
def test_a_commands_help_says_what_it_does_and_gives_an_example_of_it(name: str) -> None:
    told = COMMANDS[name].help

    examples = re.findall(r"^ *Example: (.+)$", told, re.MULTILINE)

    assert re.match(r"[A-Z].*\.(\n|$)", told)
    assert examples
    for example in examples:
        assert f"{name} " in f"{example} ".replace(")", " ")
        assert_is_a_command(example[example.index(name) :].replace(")", " "))


@each_command
def test_each_option_and_argument_says_what_it_is(name: str) -> None:
    without = [one.name for one in COMMANDS[name].params if not getattr(one, "help", None)]

    assert without == []


def test_every_command_that_the_readme_names_is_one() -> None:
    pasted = [line for one in blocks("sh") for line in one.lines]
    named = [line for line in [*IN_LINE, *pasted] if line.startswith("credit-gateway ")]

    assert len(named) > 12
    for line in named:
        assert_is_a_command(line)


def test_a_command_that_is_none_is_told() -> None:
    assert_is_a_command("credit-gateway keys create --name shop")

    for wrong in ("keys make", "keys create --nam shop", "destroy", "keys"):
        with pytest.raises(AssertionError):
            assert_is_a_command(f"credit-gateway {wrong}")
