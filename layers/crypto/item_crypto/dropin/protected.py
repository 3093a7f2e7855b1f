"""Which attributes an expression may not name as they are, and what is said then. Pure."""

from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import MARKERS, conflict_name, encrypted_name
from item_crypto.dropin.expressions import Path
from item_crypto.errors import ExpressionRefused


class Protected:
    """The configured attributes of a table, and the names that their stored form has.

    Args:
        policy: what is to be encrypted.

    Attributes:
        attributes: the configured attributes, earlier ones too.
        hidden: names that only the stored form has: ciphertexts and markers.
        keys: the table's key attributes.
    """

    def __init__(self, policy: Policy) -> None:
        self.attributes = frozenset(policy.attributes)
        self.keys = policy.context_attributes
        stored = {encrypted_name(name) for name in (*policy.attributes, *map(conflict_name, policy.attributes))}
        self.hidden = frozenset({*MARKERS, *stored})

    def refuse_hidden(self, name: str) -> None:
        """Refuse a name of the stored form.

        Raises:
            ExpressionRefused: it is one.
        """
        if name in self.hidden:
            raise ExpressionRefused(name, "the name belongs to the stored form; use the attribute that it stands for")

    def refuse(self, path: Path, instead: str) -> None:
        """Refuse a path to a configured attribute, into one, or to the stored form.

        Args:
            path: the path.
            instead: what to do where it is to a configured attribute.

        Raises:
            ExpressionRefused: it is such a path.
        """
        self.refuse_hidden(path.root)
        if path.root in self.attributes:
            raise ExpressionRefused(path.root, f"the attribute is encrypted, and DynamoDB sees no value; {instead}")
