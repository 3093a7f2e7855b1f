# The packaged template as a stack of CloudFormation, over a table that Terraform knows. The template uses a transform
# and makes roles, which is what the two capabilities are for; it is over 51,200 bytes, so it has to be in S3.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "bucket" {
  description = "Name of the bucket that `sam package` put the code into."
  type        = string
}

variable "table_name" {
  description = "Name of the table to encrypt. It has a stream, of keys only if nobody else needs more."
  type        = string
}

data "aws_dynamodb_table" "orders" {
  name = var.table_name
}

resource "aws_s3_object" "template" {
  bucket = var.bucket
  key    = "stream-encryptor/packaged.yaml"
  source = "${path.module}/packaged.yaml"
  etag   = filemd5("${path.module}/packaged.yaml")
}

resource "aws_cloudformation_stack" "encryptor" {
  name         = "orders-encryptor"
  template_url = "https://${var.bucket}.s3.amazonaws.com/${aws_s3_object.template.key}?etag=${aws_s3_object.template.etag}"
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]

  parameters = {
    Architecture        = "x86_64"
    TableName           = data.aws_dynamodb_table.orders.name
    TableStreamArn      = data.aws_dynamodb_table.orders.stream_arn
    ContextAttributes   = "orderId"
    EncryptedAttributes = "card,address"
    EncryptionEnabled   = "false"
  }
}

output "key_arn" {
  description = "The key that attributes are encrypted under."
  value       = aws_cloudformation_stack.encryptor.outputs["KeyArn"]
}
