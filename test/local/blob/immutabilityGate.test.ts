import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { createAzuriteAccount, type StoreContext } from "../../../local/blob/azurite.ts"
import { installImmutabilityGate } from "../../../local/blob/immutabilityGate.ts"

describe("installImmutabilityGate", () => {
  it("checks and writes in one step, however slow the write is", async () => {
    const azurite = await createAzuriteAccount("localbackups")
    azurite.createContainer("worm")
    azurite.wrapStoreMethod("createBlob", (original) => async (context, ...args) => {
      await sleep(20)
      return original(context, ...args)
    })
    const recorded: string[] = []
    const gate = installImmutabilityGate(azurite, {
      now: () => new Date(),
      onBlobChange: async ({ container, name }) => {
        recorded.push(`${container}/${name}`)
      },
      onContainerChange: async () => {},
    })
    gate.setPolicy("worm", { state: "locked", days: 1 })
    let createBlob: (context: StoreContext, ...rest: unknown[]) => Promise<unknown> = async () => {}
    azurite.wrapStoreMethod("createBlob", (gated) => {
      createBlob = gated
      return gated
    })
    const put = (etag: string) =>
      new Promise((resolve, reject) => {
        gate.withRights({ mayOverwrite: true }, () => {
          const properties = { creationTime: new Date(), lastModified: new Date(), contentLength: 0, etag }
          const keys = { accountName: "localbackups", containerName: "worm", name: "x", snapshot: "" }
          const blob = { ...keys, properties, isCommitted: true }
          createBlob({ contextId: etag }, blob).then(resolve, reject)
        })
      })

    const results = await Promise.allSettled([put("first"), put("second")])

    expect(results).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { storageErrorCode: "BlobImmutableDueToPolicy" } },
    ])
    expect(azurite.blobs.findOne({ name: "x" })?.properties["etag"]).toBe("first")
    expect(recorded).toEqual(["worm/x"])
    await azurite.close()
  })
})
