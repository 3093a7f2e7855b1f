"""The groups in a token's claim, as an HTTP API hands it over. Pure.

A claim that is an array reaches a function as one text, and the members are no longer told apart::

    ["admin", "staff"]   →  "[admin staff]"
    ["not admin"]        →  "[not admin]"        a group with a space in its name, or two groups?
    "admin"              →  "admin"

In ``cognito:groups`` the text has one reading: Amazon Cognito allows letters, marks, symbols, numbers and punctuation
in a group's name, and no white space ("CreateGroup", ``GroupName``). Nothing is known of the names in any other
claim, where somebody may be free to found a group "not admin". There, an array counts as the one group that it is if
it has one member, so that "[not admin]" and "[staff admin]" alike make nobody an administrator. An issuer other than
Cognito has to put the administrators' group into a claim of its own (a filtered groups claim, an app role).

What is left is trust in the issuer: whoever can put a text of their own into the claim, or found a group of the
administrators' name, is an administrator.
"""

from admin.settings import COGNITO_GROUPS


def groups(claim: str, content: object) -> frozenset[str]:
    """Return the groups that ``content`` certainly names; none where it is no text.

    Args:
        claim: the claim's name.
        content: the claim's content in the event.
    """
    if not isinstance(content, str):
        return frozenset()
    if not (content.startswith("[") and content.endswith("]")):
        return frozenset({content})
    # One bracket at each end is the array's; any other belongs to a name.
    members = content[1:-1]
    return frozenset(members.split(" ") if claim == COGNITO_GROUPS else [members])
