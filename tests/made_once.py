"""What botocore and moto make anew for every test though it never differs, made once a process: half of all time.

- botocore reads the models of its services, megabytes of JSON, for each session, and moto begins a new one each time.
- botocore works out for each session and client what the names of its events are called today.
- botocore puts the text that names the client together for each request, letter by letter.
- moto gives every KMS key, symmetric ones too, an RSA key that only signing would use.
- moto asks a service's class for its methods at each request.
- moto looks for every member that a structure may have under some eight names. DynamoDB's values have one of ten
  members, by its own name, and are most of what it answers.
- moto goes through an update's syntax tree ten times, and asks each node in turn for classes that are asked for
  slowly, abstract ones.
"""

import functools
from typing import Any, Final

import botocore.hooks
import botocore.session
import botocore.useragent
import moto.core.responses
import moto.core.serialize
import moto.kms.models
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Expression, Node, UpdateExpressionFunction

_TYPES: Final = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})


def install() -> None:
    """Have this process make them once."""
    for module, name in [
        (botocore.session, "create_loader"),
        (botocore.useragent, "sanitize_user_agent_string_component"),
        (moto.kms.models, "generate_private_key"),
        (moto.core.responses, "method_names_from_class"),
    ]:
        setattr(module, name, functools.cache(getattr(module, name)))
    _keep_names_of_events()
    _read_values_by_their_type()
    _go_through_syntax_trees()


def _keep_names_of_events() -> None:
    names: dict[str, str] = {}
    begin = botocore.hooks.EventAliaser.__init__

    def begin_with_names(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self._alias_name_cache = names

    botocore.hooks.EventAliaser.__init__ = begin_with_names


def _read_values_by_their_type() -> None:
    by_any_name = moto.core.serialize.AttributePicker.__call__
    each_member = moto.core.serialize.BaseJSONSerializer._serialize_type_structure

    def pick(self: Any, context: Any) -> Any:
        if type(context.obj) is dict and context.obj.keys() <= _TYPES and not self.response_transformers:
            return context.obj.get(context.key)
        return by_any_name(self, context)

    def serialize(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or not value.keys() <= _TYPES:
            each_member(self, serialized, value, shape, key)
            return
        wrapper = self.MAP_TYPE() if key else serialized
        for kind in value:
            shape.members[kind].parent = shape
            self._serialize_structure_member(wrapper, value, shape.members[kind], kind)
        if key:
            self._default_serialize(serialized, wrapper, shape, key)

    moto.core.serialize.AttributePicker.__call__ = pick
    moto.core.serialize.BaseJSONSerializer._serialize_type_structure = serialize


def _go_through_syntax_trees() -> None:
    is_a = functools.cache(issubclass)
    processed: dict[type, tuple[type, ...]] = {}  # By the class of what goes through the tree.

    def traverse(self: Any, node: Any, child_id: int = -1) -> Any:
        if not is_a(type(node), Node):
            return node
        parent = node.parent
        for place, child in enumerate(node.children or []):
            self.pre_processing_of_child(node, place)
            traverse(self, child, place)
        kinds = processed.get(type(self))
        if kinds is None:
            kinds = processed[type(self)] = self.nodes_to_be_processed()
        if is_a(type(node), kinds):
            node = self.process(node)
            node.parent = parent
            if parent:
                parent.children[child_id] = node
        return node

    def find_clauses(self: Any, clause_types: list[type]) -> list[Any]:
        clauses = []
        for child in self.children or []:
            if type(child) in clause_types:
                clauses.append(child)
            elif is_a(type(child), (Expression, UpdateExpressionFunction)):
                clauses += find_clauses(child, clause_types)
        return clauses

    DepthFirstTraverser.traverse_node_recursively = traverse
    Node.find_clauses = find_clauses
