"""What a verification proves, and the report that says so: judged and written here, for whoever asks. Pure.

What goes in is what the control function tells of the table, its sweeps and its key; what comes out is a judgement, the
evidence as a document, and the two files of it. The command and the admin page only show these.
"""
