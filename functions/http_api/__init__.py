"""What the functions behind the HTTP API share: how a request comes in, and how a refusal or a failure goes out.

No function of its own: the reader and the admin function bring their routes, their identities and their sentences.
"""
