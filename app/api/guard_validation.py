"""
Validation whose time is bounded: graphql-core's rules, some of which take more than linear time.

The slowest documents that were found, of 2,000 tokens each, take 980 ms as it comes: 500 equal
fields that select something each. With the bounds below it is 55 ms, most of it for one error that
prints an object of 660 wrong fields, ten times; without errors 35 ms, for 400 operations.
"""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    specified_rules,
    validate,
)
from graphql.validation.validate import ValidationAbortedError

# Two for each comparison of two fields of the same name, at up to 4 µs. A dashboard of three
# connections takes 15, the output of Relay's compiler for a screen of its own 68.
_MOST_COMPARED = 10_000
# Each error looks for similar names, and may print the whole value that is wrong.
_MOST_ERRORS = 10
_ABORTED = (
    "The document repeats fields too often, or spreads fragments in too many places, to be "
    "validated; select each field once."
)


class _BoundedOverlappingFields(OverlappingFieldsCanBeMergedRule):
    """Compares fields of the same name, of which n in one selection make n² / 2 pairs."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _MOST_COMPARED


_RULES = tuple(
    _BoundedOverlappingFields if rule is OverlappingFieldsCanBeMergedRule else rule
    for rule in specified_rules
)


def find_invalid(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """Return what is invalid in a document that the guard lets pass; nothing where all is valid.

    After ten errors it stops and says so. So it does where validating would take too long, which
    makes the document invalid.
    """
    errors = validate(schema, document, _RULES, max_errors=_MOST_ERRORS)
    if errors and isinstance(errors[-1], ValidationAbortedError) and len(errors) <= _MOST_ERRORS:
        errors[-1] = GraphQLError(_ABORTED)
    return errors
