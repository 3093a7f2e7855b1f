"""What botocore and moto make anew for every test though it never differs, made once a process: half of all time.

- botocore reads the models of its services, megabytes of JSON, for each session, and moto begins a new one each time.
- botocore works out for each session and client what the names of its events are called today.
- botocore makes a service's methods, and reads the rules of its endpoints, for each client.
- botocore copies all handlers of events for each client, which adds a few of its own.
- botocore asks for the whole signature of each handler, to see whether it takes any name.
- botocore puts the text that names the client together for each request, letter by letter.
- moto gives every KMS key, symmetric ones too, an RSA key that only signing would use.
- moto makes a thousand answers for the library requests, which nobody here uses, whenever it begins.
- moto asks a service's class for its methods at each request.
- moto looks for every member that a structure may have under some eight names. DynamoDB's values have one of ten
  members, by its own name, and are most of what it answers.
- moto goes through an update's syntax tree ten times, and asks each node in turn for classes that are asked for
  slowly, abstract ones.
"""

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

import botocore.client
import botocore.hooks
import botocore.regions
import botocore.session
import botocore.useragent
import moto.core.models
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
    moto.core.models.RESPONSES_METHODS = []
    _keep_names_of_events()
    _keep_methods_and_endpoints()
    _share_handlers()
    _look_at_handlers_quickly()
    _read_values_by_their_type()
    _go_through_syntax_trees()


def _keep_names_of_events() -> None:
    names: dict[str, str] = {}
    begin = botocore.hooks.EventAliaser.__init__

    def begin_with_names(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self._alias_name_cache = names

    botocore.hooks.EventAliaser.__init__ = begin_with_names


def _keep_methods_and_endpoints() -> None:
    methods: dict[tuple[str, str], dict[str, Any]] = {}
    make_methods = botocore.client.ClientCreator._create_methods

    def create_methods(self: Any, service_model: Any) -> dict[str, Any]:
        service = service_model.service_name, service_model.api_version
        if service not in methods:
            methods[service] = make_methods(self, service_model)
        return dict(methods[service])

    # By what they are, not what they hold: the loader, made once, gives the same ones. Held, so that no other takes
    # their place.
    providers: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    make_provider = botocore.regions.EndpointProvider

    def provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        which = id(ruleset_data), id(partition_data), frozenset(excluded_params or ())
        if which not in providers:
            made = make_provider(ruleset_data, partition_data, excluded_params)
            providers[which] = made, ruleset_data, partition_data
        return providers[which][0]

    botocore.client.ClientCreator._create_methods = create_methods
    botocore.regions.EndpointProvider = provider


def _share_handlers() -> None:
    """Have copies of a trie share their nodes: who changes one makes the nodes on the way to it its own first."""
    trie = botocore.hooks._PrefixTrie

    def of_its_own(self: Any, node: dict[str, Any]) -> dict[str, Any]:
        if node.get("owner") is self._owner:
            return node
        return node | {"children": dict(node["children"]), "values": copy.copy(node["values"]), "owner": self._owner}

    def changing(change: Callable[..., None]) -> Callable[..., None]:
        def changed(self: Any, key: str, *arguments: Any, **options: Any) -> None:
            self.__dict__.setdefault("_owner", object())
            node = self._root = of_its_own(self, self._root)
            for part in key.split("."):
                if part not in node["children"]:
                    break
                child = node["children"][part] = of_its_own(self, node["children"][part])
                node = child
            change(self, key, *arguments, **options)

        return changed

    def copied(self: Any) -> Any:
        other = type(self)()
        other._root = self._root
        self._owner = object()  # What it owned is the other's as well, from now on.
        return other

    trie.append_item = changing(trie.append_item)
    trie.remove_item = changing(trie.remove_item)
    trie.__copy__ = copied


def _look_at_handlers_quickly() -> None:
    by_its_signature = botocore.hooks.accepts_kwargs

    def accepts_kwargs(handler: Any) -> Any:
        code = getattr(getattr(handler, "__func__", handler), "__code__", None)
        return code.co_flags & inspect.CO_VARKEYWORDS if code else by_its_signature(handler)

    botocore.hooks.accepts_kwargs = accepts_kwargs


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
