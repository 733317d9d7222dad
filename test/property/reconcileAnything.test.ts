import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatVersionUrl } from "../../shared/change/objectVersion.ts"
import { gapReasons } from "../../shared/store/blobName.ts"
import { anObject, versionId } from "../support/builders.ts"
import { aReconcileWorld, Killed } from "../support/memoryReconcile.ts"
import { propertyRuns } from "../support/propertyRuns.ts"

/** Names that sort in different ways with a slash behind them, and some that are excluded. */
const aName = fc.constantFrom("a", "a-", "a-b", "a0", "ab", "b", "b-1", "tmp-a", "z", "zz", "0", "00")

/** One version: what the vault has of it, and what the store has. */
const aVersion = fc.record({
  name: aName,
  kind: fc.constantFrom("secret", "certificate"),
  inVault: fc.constantFrom("enabled", "disabled", "not"),
  isStored: fc.boolean(),
  gapRecords: fc.subarray([...gapReasons]),
})

type AVersion = typeof aVersion extends fc.Arbitrary<infer T> ? T : never

async function aWorldOf(versions: readonly AVersion[]) {
  const world = aReconcileWorld({ exclude: ["tmp-*"] })
  // So that the vault always lists a secret.
  await world.record(world.set("proof", 999_999))
  for (const [index, { name, kind, inVault, isStored, gapRecords }] of versions.entries()) {
    // Versions are not in the order in which they were set.
    const version = ((index * 7919) % 100_003) + 1
    const enabled = inVault === "enabled"
    const object = anObject({ name, kind, version })
    if (inVault !== "not" && kind === "secret") world.set(name, version, { enabled })
    if (inVault !== "not" && kind === "certificate") world.setCertificate(name, version, { enabled })
    if (isStored) await world.record(object)
    // The worker writes them under the kind whose event came.
    for (const reason of gapRecords) await world.gapRecord({ ...object, kind: "secret" }, reason)
  }
  const idOf = (at: number) => {
    const { name, kind } = versions[at]!
    return formatVersionUrl(anObject({ name, kind, version: versionId(((at * 7919) % 100_003) + 1) }))
  }
  const select = (isWanted: (version: AVersion) => boolean) =>
    new Set(versions.flatMap((version, at) => (isWanted(version) ? [idOf(at)] : [])))
  return { world, select }
}

const isOpen = ({ name, isStored }: AVersion) => !isStored && !name.startsWith("tmp-")

describe("reconciliation of any vault with any store", () => {
  it("sends exactly what the vault can give and the store has not, and tells the rest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aVersion, { maxLength: 60 }), async (versions) => {
        const { world, select } = await aWorldOf(versions)
        const { result, gaps } = await world.run({ execute: world.execute })
        expect(result.incomplete).toBeUndefined()
        expect(new Set(world.sentIds())).toEqual(select((one) => isOpen(one) && one.inVault === "enabled"))
        expect(world.sent).toHaveLength(new Set(world.sentIds()).size)
        expect(gaps.filter(({ cause }) => cause === "lost")).toHaveLength(
          select((one) => isOpen(one) && one.inVault === "not" && one.gapRecords.length > 0).size,
        )
        expect(gaps.filter(({ cause, action }) => cause === "disabled" && action === "record")).toHaveLength(
          select((one) => isOpen(one) && one.inVault === "disabled" && !one.gapRecords.includes("disabled"))
            .size,
        )
        expect(result.counts.versions).toBe(versions.filter(({ inVault }) => inVault !== "not").length + 1)
      }),
      propertyRuns(60),
    )
  })

  it("comes to the same, wherever it is killed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aVersion, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (versions, kills, page) => {
          const { world, select } = await aWorldOf(versions)
          const whole = await world.run()
          const execute = { ...world.execute, pageGaps: page, pageVersions: 3 * page }
          for (const at of kills) {
            let left = at
            world.hooks.beforeIo = () => {
              if (--left <= 0) throw new Killed()
            }
            await world.run({ execute })
          }
          world.hooks.beforeIo = () => {}
          const { result } = await world.run({ execute })
          expect(result.incomplete).toBeUndefined()
          expect(new Set(world.sentIds())).toEqual(select((one) => isOpen(one) && one.inVault === "enabled"))
          expect({ ...result.counts, sent: 0, recorded: 0 }).toEqual(whole.result.counts)
        },
      ),
      propertyRuns(60),
    )
  })
})
