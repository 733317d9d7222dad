import { aVault } from "./aVault.ts"

// Run as a process of its own: sets version after version, and tells each one that was answered.
const { ask } = await aVault({ directory: process.argv[2]!, throttle: false })
for (;;) {
  const response = await ask("/secrets/killed", {
    method: "PUT",
    body: JSON.stringify({ value: "v".repeat(2000) }),
  })
  const { id } = (await response.json()) as { id: string }
  process.send?.(id.slice(-32))
}
