import { createAccessControl } from "../../../local/access/accessControl.ts"
import { newTokenAuthorityState, openTokenAuthority } from "../../../local/access/tokenAuthority.ts"
import { createFaultBook } from "../../../local/faults/faultBook.ts"
import { startServiceBus } from "../../../local/serviceBus/startServiceBus.ts"
import { createCertificateAuthority } from "../../../local/tls/certificateAuthority.ts"

/** A broker in a process of its own, to be killed. Arguments: the directory, the shared key, the plain port. */
const [directory = "", sharedAccessKey = "", plainPort = "0"] = process.argv.slice(2)
const ca = await createCertificateAuthority()
const bus = await startServiceBus({
  authority: openTokenAuthority(newTokenAuthorityState()),
  access: createAccessControl({ user: ["*"] }),
  faults: createFaultBook(),
  tls: await ca.issue([]),
  directory,
  sharedAccessKey,
  plainPort: Number(plainPort),
  queues: [{ name: "q", lockDurationMs: 60_000, maxDeliveryCount: 5 }],
})
process.once("message", () => void bus.stop().then(() => process.disconnect()))
process.send?.(bus.connectionString)
