"""Batched conditional writes on DynamoDB Local, which judges conditions and statements as DynamoDB does."""
