import { randomBytes, randomUUID } from "node:crypto"
import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { newTokenAuthorityState } from "../access/tokenAuthority.ts"
import { createCertificateAuthority } from "../tls/certificateAuthority.ts"

const portNames = [
  "identity",
  "blob",
  "serviceBus",
  "serviceBusPlain",
  "vault",
  "secondVault",
  "functions",
  "control",
  "arm",
] as const

/** The ports of a cloud that is kept, by server. Vaults beyond the second take free ones. */
export type CloudPorts = Readonly<Partial<Record<(typeof portNames)[number], number>>>

const identitySchema = z.object({
  format: z.literal("kvbackup-local-identity/1"),
  caPem: z.string(),
  leaf: z.object({ cert: z.string(), key: z.string() }),
  authority: z.object({
    secret: z.string(),
    tenantId: z.string(),
    ids: z.record(z.string(), z.object({ clientId: z.string(), objectId: z.string() })),
  }),
  identityHeader: z.string(),
  controlToken: z.string(),
  sharedAccessKey: z.string(),
  functionKey: z.string(),
  ports: z.partialRecord(z.enum(portNames), z.int().min(1).max(65_535)),
})

/** Everything by which clients know a local cloud: certificates, tokens, keys of its endpoints, ports. */
export type CloudIdentity = z.infer<typeof identitySchema>

const fileName = "cloud-identity.json"

/**
 * The identity of the cloud kept in `directory`, or a fresh one. Without a directory every cloud is a new one.
 *
 * @throws Error when the directory holds a file that this release did not write.
 */
export async function openCloudIdentity(directory: string | undefined): Promise<CloudIdentity> {
  const kept = directory === undefined ? undefined : await readKept(directory)
  if (kept) return kept
  const ca = await createCertificateAuthority()
  const key = () => randomBytes(32).toString("base64url")
  return {
    format: "kvbackup-local-identity/1",
    caPem: ca.caPem,
    leaf: await ca.issue([]),
    authority: { ...newTokenAuthorityState() },
    identityHeader: key(),
    controlToken: key(),
    sharedAccessKey: randomBytes(32).toString("base64"),
    functionKey: randomUUID(),
    ports: {},
  }
}

async function readKept(directory: string): Promise<CloudIdentity | undefined> {
  const file = join(directory, fileName)
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return identitySchema.parse(JSON.parse(text))
  } catch {
    throw new Error(
      `${file} was not written by this release; give --keep another directory, or remove the file`,
    )
  }
}

/** Keeps `identity` in `directory`, with mode 0600: whoever reads it can act as anyone in this cloud. */
export async function keepCloudIdentity(directory: string, identity: CloudIdentity): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const draft = join(directory, `${fileName}.${process.pid}`)
  await writeFile(draft, `${JSON.stringify(identity)}\n`, { mode: 0o600 })
  await rename(draft, join(directory, fileName))
}
