import type { Socket } from "node:net"
import type { Connection, ConnectionOptions, Container } from "rhea"

/** How long a client may take. Milliseconds. */
export interface ConnectionLimits {
  /** From connecting to the first valid token; the service drops the connection after 20 s. */
  readonly tokenWithinMs: number
  /** For the rest of a frame that has begun. */
  readonly frameWithinMs: number
  /** For reading what has been written to it. */
  readonly drainWithinMs: number
  readonly maxFrameBytes: number
}

export const defaultConnectionLimits: ConnectionLimits = {
  tokenWithinMs: 20_000,
  frameWithinMs: 20_000,
  drainWithinMs: 30_000,
  maxFrameBytes: 65_536,
}

const maxWaitingBytes = 1_048_576

/** The server side of rhea 3.0.5 that its type declarations leave out. */
interface ServerConnection extends Connection {
  accept(socket: Socket): void
  input(bytes: Buffer): void
  output(): void
  _process(): void
  eof(): void
  frame_size: number | undefined
  chunks: readonly Buffer[] | null | undefined
  previous_input: Buffer | null | undefined
}

/** One client connection that cannot harm the others: whatever goes wrong with it ends it alone. */
export interface AmqpConnection {
  readonly connection: Connection
  /** Whether more should be written: false while much is waiting that the client has not read. */
  readonly hasRoom: boolean
  /** Called when there is room again. */
  onRoom: () => void
  /** Tells of bytes that rhea has been given and will write in this turn or later. */
  reserve(bytes: number): void
  /** Destroys the socket and logs one line. */
  drop(reason: string): void
  /** Destroys the socket without a word. */
  cut(): void
  /** The client has shown a valid token. */
  markAuthenticated(): void
}

export interface AcceptOptions {
  readonly container: Container
  readonly limits: ConnectionLimits
  readonly log: (line: string) => void
  readonly onClose: () => void
}

/** Lets rhea serve `socket`, and guards it against garbage, half frames, oversized frames and slow readers. */
export function acceptConnection(socket: Socket, options: AcceptOptions): AmqpConnection {
  const { container, limits, log } = options
  const serverOptions = {
    reconnect: false,
    max_frame_size: limits.maxFrameBytes,
    idle_time_out: 60_000,
    receiver_options: { autoaccept: false, credit_window: 0, autosettle: true },
    // With the default a modified outcome would arrive as released as well.
    sender_options: { treat_modified_as_released: false, autosettle: true },
  }
  // The declarations know the options of a client's connection only.
  const connection = container.create_connection(
    serverOptions as unknown as ConnectionOptions,
  ) as ServerConnection
  let isClosed = false
  let isStalled = false
  let reservedBytes = 0

  const end = (reason: string) => socket.destroy(new Error(reason))
  const drop = (reason: string) => {
    if (isClosed) return
    isClosed = true
    log(`service bus: closed a connection: ${reason}`)
    end(reason)
  }
  const tokenTimer = deadline(limits.tokenWithinMs, () => drop("no valid token in time"))
  const frameTimer = deadline(limits.frameWithinMs, () => drop("a frame was left unfinished"))
  const drainTimer = deadline(limits.drainWithinMs, () => drop("the client does not read"))
  const guarded: AmqpConnection = {
    connection,
    get hasRoom() {
      return !isStalled && reservedBytes + socket.writableLength < maxWaitingBytes
    },
    onRoom: () => {},
    reserve: (bytes) => {
      reservedBytes += bytes
    },
    drop,
    cut: () => end("cut"),
    markAuthenticated: tokenTimer.stop,
  }

  guardInput(connection, limits, frameTimer, () => isClosed, drop)
  guardOutput(connection, socket, drop, () => {
    const wasFull = reservedBytes >= maxWaitingBytes
    reservedBytes = 0
    if (!isStalled && socket.writableNeedDrain) {
      isStalled = true
      drainTimer.start()
    } else if (wasFull && guarded.hasRoom) guarded.onRoom()
  })
  socket.on("drain", () => {
    drainTimer.stop()
    isStalled = false
    guarded.onRoom()
  })
  socket.setNoDelay(true)
  for (const event of ["protocol_error", "error"]) {
    connection.on(event, (error: unknown) => drop(error instanceof Error ? error.message : "protocol error"))
  }
  // With a listener rhea takes these as dealt with, and neither throws nor prints.
  for (const event of [
    "connection_error",
    "session_error",
    "receiver_error",
    "sender_error",
    "disconnected",
  ]) {
    connection.on(event, () => {})
  }
  socket.once("close", () => {
    isClosed = true
    for (const timer of [tokenTimer, frameTimer, drainTimer]) timer.stop()
    // rhea stops its heartbeats on "end" and "error" only.
    connection.eof()
    options.onClose()
  })
  tokenTimer.start()
  connection.accept(socket)
  return guarded
}

function guardInput(
  connection: ServerConnection,
  limits: ConnectionLimits,
  frameTimer: Deadline,
  isClosed: () => boolean,
  drop: (reason: string) => void,
): void {
  const input = connection.input.bind(connection)
  let unfinished: unknown
  connection.input = (bytes) => {
    if (isClosed()) return
    input(bytes)
    if ((connection.frame_size ?? 0) > limits.maxFrameBytes) drop("a frame is larger than agreed")
    // rhea starts a new list of chunks for every frame that it has in part.
    const rest = connection.frame_size ? connection.chunks : connection.previous_input
    if (rest === unfinished) return
    unfinished = rest
    frameTimer.stop()
    if (rest) frameTimer.start()
  }
}

function guardOutput(
  connection: ServerConnection,
  socket: Socket,
  drop: (reason: string) => void,
  onWritten: () => void,
): void {
  const output = connection.output.bind(connection)
  let isCorked = false
  const uncork = () => {
    isCorked = false
    socket.uncork()
    onWritten()
  }
  connection.output = () => {
    if (!isCorked) {
      isCorked = true
      socket.cork()
      // rhea writes every frame by itself; this joins those of one turn.
      process.nextTick(uncork)
    }
    output()
  }
  const work = connection["_process"].bind(connection)
  connection["_process"] = () => {
    try {
      work()
    } catch (error) {
      drop(error instanceof Error ? error.message : "protocol error")
    }
  }
}

interface Deadline {
  start(): void
  stop(): void
}

function deadline(afterMs: number, onMissed: () => void): Deadline {
  let timer: NodeJS.Timeout | undefined
  return {
    start: () => {
      timer ??= setTimeout(onMissed, afterMs).unref()
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
