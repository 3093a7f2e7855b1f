// Prints a Terraform file as JSON, by HashiCorp's own parser: node parse.mjs FILE

import { readFileSync } from 'node:fs'

import { parse } from '@cdktf/hcl2json'

process.stdout.write(JSON.stringify(await parse('main.tf', readFileSync(process.argv[2], 'utf8'))))
