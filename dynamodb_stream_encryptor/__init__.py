"""The operator's commands: `stream-encryptor COMMAND (--stack NAME | --local)`.

Also as `python -m dynamodb_stream_encryptor`.

    stream-encryptor plan --table chats              what stands in the way of encrypting a table, and what it costs
    stream-encryptor migrate --stack chats           encrypt what is already in the table, and follow it
    stream-encryptor verify --stack chats            exit code 0 only if no plaintext and no old form is left
    stream-encryptor report --stack chats            the same, as a file of evidence

A command finds the stack's control function through CloudFormation's outputs (or `.local/stack.json`) and invokes it:
nothing here reads the table or uses the key, so an operator needs `cloudformation:DescribeStacks` and
`lambda:InvokeFunction` on that one function, and no more. What the function does is in its audit log. `plan` alone asks
AWS itself and reads items, since it works before there is a stack; docs/plan.md has the rights that it needs.

What a script may build on: the exit codes (the module `errors`), and with `--json` one JSON document on standard
output, which is the control function's own answer. What is printed for people may change.
"""
