"""What users see: HTML of a few lines, with no script."""

import base64
import hashlib
from html import escape
from typing import Final

USERS: Final = ("alice", "bob", "carol")
"""Who is suggested; any other name is as good."""

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { box-sizing: border-box; width: min(24rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
form { display: grid; gap: .75rem; margin-top: 1.5rem; }
input, button { font: inherit; }
input[name=user], button { padding: .5rem .75rem; border: 1px solid GrayText; border-radius: .375rem; }
.row { display: flex; gap: .75rem; align-items: center; }
:focus-visible { outline: 3px solid light-dark(#4353c9, #98a3ff); outline-offset: 2px; }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    # The form's answer leads back to the page that asked, and browsers hold redirects to form-action too.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "form-action 'self' http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def sign_in_page(request: str, user: str) -> str:
    """Return the page that asks who somebody is.

    Args:
        request: names the request that is answered.
        user: who it probably is.
    """
    options = "".join(f"<option>{escape(name)}</option>" for name in USERS)
    return _page(
        "Sign in",
        f"""<p>This issuer is the local stack's. Say who you are; there is no password.</p>
<form method="post" action="/authorize">
<input type="hidden" name="request" value="{escape(request)}">
<label for="user">User</label>
<input id="user" name="user" list="users" value="{escape(user)}" required maxlength="128" autocomplete="off"
 autocapitalize="off" spellcheck="false" autofocus>
<datalist id="users">{options}</datalist>
<label class="row"><input type="checkbox" name="administrator" value="yes"> Administrator</label>
<div class="row"><button name="answer" value="yes">Sign in</button>
<button name="answer" value="no" formnovalidate>Cancel</button></div>
</form>""",
    )


def message_page(title: str, sentence: str) -> str:
    """Return a page that only says something."""
    return _page(title, f"<p>{escape(sentence)}</p>")


def _page(title: str, content: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · local issuer</title>
<style>{_STYLE}</style>
</head>
<body><main>
<h1>{escape(title)}</h1>
{content}
</main></body>
</html>
"""
