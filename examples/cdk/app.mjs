// The packaged template as a nested stack, over a table that the same app makes.
//
// It is not included by CfnInclude: that puts the table's name, which is known at deployment only, into the template's
// conditions and rules, where CloudFormation takes parameters alone.

import { App, CfnOutput, CfnStack, Stack } from 'aws-cdk-lib'
import { AttributeType, BillingMode, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'

const app = new App()
const stack = new Stack(app, 'orders')

const orders = new Table(stack, 'Orders', {
  partitionKey: { name: 'orderId', type: AttributeType.NUMBER },
  billingMode: BillingMode.PAY_PER_REQUEST,
  stream: StreamViewType.KEYS_ONLY,
})

const template = new Asset(stack, 'Template', { path: process.env.PACKAGED ?? 'packaged.yaml' })
const encryptor = new CfnStack(stack, 'Encryptor', {
  templateUrl: template.httpUrl,
  parameters: {
    Architecture: 'x86_64',
    TableName: orders.tableName,
    TableStreamArn: orders.tableStreamArn,
    ContextAttributes: 'orderId',
    EncryptedAttributes: 'card,address',
    EncryptionEnabled: 'false',
  },
})

new CfnOutput(stack, 'KeyArn', { value: encryptor.getAtt('Outputs.KeyArn').toString() })

app.synth()
