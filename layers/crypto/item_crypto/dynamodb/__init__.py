"""DynamoDB: reads of a table, and changes as conditional writes. Knows nothing of encryption."""
