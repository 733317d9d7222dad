import { spawn } from "node:child_process"

/** How a process ended, and all it printed. */
export interface NodeEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A Node process in a process group of its own. */
export interface NodeProcess {
  readonly pid: number
  /** What it printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly end: Promise<NodeEnd>
  /** Sends a signal to the process alone, not to its children. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Does it, or a process that it started, still run? */
  readonly isGroupAlive: () => boolean
  /** Ends whatever of the group still runs. Safe to repeat. */
  readonly kill: () => void
}

export interface NodeOptions {
  readonly cwd: string
  /** Written to stdin, which is then closed. */
  readonly input?: string
}

/**
 * Starts this Node with `argv` and pipes for its output. Nothing of this environment but PATH and HOME reaches it, so
 * that it runs as on a person's machine and not as below a test runner.
 */
export function startNode(argv: readonly string[], { cwd, input }: NodeOptions): NodeProcess {
  const { PATH = "", HOME = "" } = process.env
  const child = spawn(process.execPath, argv, { cwd, env: { PATH, HOME }, detached: true, stdio: "pipe" })
  const { pid } = child
  if (pid === undefined) throw new Error("Node did not start")
  const printed = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (printed[name] += text))
  }
  // A process that ends without reading its input is no failure of the test.
  child.stdin.on("error", () => {}).end(input)
  const end = new Promise<NodeEnd>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code, signal) => resolve({ code, signal, ...printed }))
  })
  return {
    pid,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    end,
    signal: (signal) => child.kill(signal),
    isGroupAlive: () => canSignal(pid, 0),
    kill: () => canSignal(pid, "SIGKILL"),
  }
}

/** A negative pid means the group; group and leader have the same number. */
function canSignal(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}
