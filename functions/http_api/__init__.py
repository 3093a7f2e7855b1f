"""What the functions behind the HTTP API share: the way from an event to a response, and what is kept of it.

``function.Function`` is that way. A function brings its routes, whom it takes for a user, and what it says of errors
that only it meets; its handler is one call::

    _FUNCTION = Function("reader", reader, app, OPERATIONS, identify, SENTENCES)


    def lambda_handler(event, context):
        return _FUNCTION.serve(event, context)
"""
