"""Why the function cannot start. Its log has the sentence; whoever asked gets API Gateway's 500."""


class CannotStart(Exception):
    """A setting or a file of the page is missing or unusable; asked again on the next invocation."""
