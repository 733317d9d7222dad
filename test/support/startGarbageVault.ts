import { mkdtemp, rm, writeFile } from "node:fs/promises"
import https from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createCertificateAuthority } from "../../local/tls/certificateAuthority.ts"
import { listen } from "../../local/tls/listen.ts"

/** What a vault that is none answers. */
export interface GarbageAnswer {
  /** Absent, 200. */
  readonly status?: number
  readonly location?: string
  readonly contentType?: string
  readonly body: string | Buffer
}

export interface GarbageVault {
  readonly url: string
  /** Settings that make the worker trust it. */
  readonly settings: Readonly<Record<string, string>>
  /** PEM, for who trusts it in this process. */
  readonly caPem: string
  /** How often each path was asked for. */
  readonly asked: ReadonlyMap<string, number>
  stop(): Promise<void>
}

const preload = new URL("trustExtraCa.ts", import.meta.url)

/**
 * A server in the place of a vault, as a broken proxy may be: it answers everything with what `answers` makes
 * for the name of the object and the id asked for, 200 unless that says otherwise.
 */
export async function startGarbageVault(
  answers: Readonly<Record<string, (id: string) => GarbageAnswer>>,
  { hosts = [] }: { readonly hosts?: readonly string[] } = {},
): Promise<GarbageVault> {
  const ca = await createCertificateAuthority()
  const directory = await mkdtemp(join(tmpdir(), "garbage-vault-"))
  const caFile = join(directory, "ca.pem")
  await writeFile(caFile, ca.caPem)
  const asked = new Map<string, number>()
  let url = ""
  const server = https.createServer(await ca.issue(hosts), (request, response) => {
    const { pathname } = new URL(request.url ?? "/", url)
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1)
    const answer = answers[pathname.split("/")[2] ?? ""]?.(`https://${request.headers.host}${pathname}`) ?? {
      body: "",
    }
    response.writeHead(answer.status ?? 200, {
      "content-type": answer.contentType ?? "application/json; charset=utf-8",
      ...(answer.location === undefined ? {} : { location: answer.location }),
    })
    response.end(answer.body)
  })
  const { port, stop } = await listen(server)
  url = `https://127.0.0.1:${port}`
  return {
    url,
    caPem: ca.caPem,
    asked,
    settings: { NODE_OPTIONS: `--import ${preload.href}`, EXTRA_CA_FILE: caFile },
    stop: async () => {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
