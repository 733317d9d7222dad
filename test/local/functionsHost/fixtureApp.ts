/* oxlint-disable no-console -- what an app prints is part of what is tested */
import { app, type InvocationContext } from "@azure/functions"

/** The app that the tests of the functions host bundle and run. What its functions saw they say as log lines. */

const say = (context: InvocationContext, what: object) => context.log(`SAW ${JSON.stringify(what)}`)
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

if (process.env["FIXTURE_FAIL"] === "load") {
  throw Object.assign(new Error("no such setting"), { code: "ERR_FIXTURE" })
}

app.hook.appStart((context) => {
  if (process.env["FIXTURE_FAIL"] === "appStart") throw new Error("the store has no policy")
  console.log(`appStart hookData=${typeof context.hookData}`)
})
app.hook.appTerminate(() => console.log("appTerminate"))
app.hook.log((context) => {
  context.message = context.message.replace("fixture-password", "***")
})
app.hook.preInvocation((context) => {
  context.hookData["startedBy"] = "preInvocation"
})
app.hook.postInvocation((context) => {
  const { hookData, invocationContext, error } = context
  if (invocationContext.functionName !== "receive") return
  invocationContext.log(`HOOK ${JSON.stringify({ ...hookData, failed: error !== null })}`)
})

interface Order {
  readonly throw?: string
  readonly waitMs?: number
}

app.serviceBusQueue("receive", {
  connection: "Bus",
  queueName: "%FIXTURE_QUEUE%",
  handler: async (message, context) => {
    const order = (typeof message === "object" && message !== null ? message : {}) as Order
    say(context, { message, metadata: context.triggerMetadata, isBuffer: Buffer.isBuffer(message) })
    if (order.waitMs) await wait(order.waitMs)
    if (order.throw) throw new Error(order.throw)
  },
})

app.serviceBusQueue("receiveBytes", {
  connection: "Bus",
  queueName: "bytes",
  trigger: {
    type: "serviceBusTrigger",
    name: "message",
    connection: "Bus",
    queueName: "bytes",
    dataType: "binary",
  },
  handler: (message, context) => {
    say(context, { hex: (message as Buffer).toString("hex"), metadata: context.triggerMetadata })
  },
})

app.serviceBusQueue("receiveMany", {
  connection: "Bus",
  queueName: "many",
  cardinality: "many",
  handler: (messages, context) => {
    const { messageIdArray, deliveryCountArray, sequenceNumberArray } = context.triggerMetadata ?? {}
    say(context, { messages, messageIdArray, deliveryCountArray, sequenceNumberArray })
  },
})

app.serviceBusQueue("disabled", {
  connection: "Missing",
  queueName: "none",
  handler: (_message, context) => say(context, {}),
})

let running = 0
app.timer("tick", {
  schedule: "0 0 0 1 1 *",
  handler: async (timer, context) => {
    running += 1
    say(context, { timer, running })
    await wait(100)
    running -= 1
    if (process.env["FIXTURE_FAIL"] === "timer") throw new Error("the timer failed")
  },
})

app.timer("everySecond", {
  schedule: "* * * * * *",
  handler: (timer, context) => say(context, { timer }),
})

app.http("echo", {
  route: "echo/{name}/{version?}",
  methods: ["POST", "GET"],
  authLevel: "function",
  handler: async (request, context) => {
    context.warn("echo warns")
    context.debug("echo debugs")
    context.info("the fixture-password")
    console.error("echo prints an error")
    const body = Buffer.from(await request.arrayBuffer())
    return {
      status: 201,
      headers: { "x-query": request.query.get("q") ?? "", "x-method": request.method },
      cookies: [{ name: "seen", value: "yes", httpOnly: true, sameSite: "Lax" }],
      body: Buffer.concat([Buffer.from(`${request.params["name"]}:${request.headers.get("x-in")}:`), body]),
    }
  },
})

function outOfReach(): never {
  throw new Error("out of reach")
}

app.http("open", {
  handler: async (request) => {
    const waitMs = Number(request.query.get("waitMs") ?? 0)
    if (request.query.get("crash") === "yes") setTimeout(() => outOfReach(), 10)
    if (request.query.get("throw") === "yes") throw new Error("secret details")
    if (request.query.get("empty") === "yes") return undefined as never
    await wait(waitMs)
    return {
      jsonBody: { waited: waitMs, env: Object.keys(process.env) },
    }
  },
})
