import { text } from "node:stream/consumers"
import { createAccessControl } from "../../../local/access/accessControl.ts"
import { openTokenAuthority, type TokenAuthorityState } from "../../../local/access/tokenAuthority.ts"
import { startBlob } from "../../../local/blob/startBlob.ts"
import { createFaultBook } from "../../../local/faults/faultBook.ts"

/** What the process reads from its standard input. */
export interface KeptBlobInput {
  readonly directory: string
  readonly authority: TokenAuthorityState
  readonly tls: { readonly cert: string; readonly key: string }
}

const { directory, authority, tls } = JSON.parse(await text(process.stdin)) as KeptBlobInput
const blob = await startBlob({
  authority: openTokenAuthority(authority),
  access: createAccessControl({ user: ["*"] }),
  faults: createFaultBook(),
  tls,
  directory,
  account: "kept",
  containers: [{ name: "worm", policy: { state: "locked", days: 30 } }, { name: "plain" }],
})
process.stdout.write(`${blob.url}\n`)
