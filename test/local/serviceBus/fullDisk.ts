import { openJournal } from "../../../local/serviceBus/journalFile.ts"

/** Writes to a journal until the disk takes no more, and reports which commits succeeded. Argument: the directory. */
const { journal } = await openJournal(process.argv[2] ?? "")
// The limit on file sizes that stands in for a full disk comes with a signal.
process.on("SIGXFSZ", () => {})
const committed: string[] = []
for (let n = 0; n < 400; n += 1) {
  const messageId = `${n}-${"x".repeat(n % 2 === 0 ? 200 : 3)}`
  journal.note({ op: "seen", queue: "q", messageId, atMs: n })
  try {
    journal.commit()
    committed.push(messageId)
  } catch {}
}
process.stdout.write(JSON.stringify(committed))
