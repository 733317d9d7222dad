#!/usr/bin/env -S node --max-semi-space-size=4
// A long listing makes much that is short-lived; V8 would set aside 128 MB for it (bench/audit).
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
