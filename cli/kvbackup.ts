#!/usr/bin/env node
import { main } from "./main.ts"

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stderr.isTTY === true,
  stdin: process.stdin,
  isInputTerminal: process.stdin.isTTY === true,
})
