import { describe, expect, it } from "vitest"
import { formatTraceparent, parseTraceparent } from "../../../shared/telemetry/traceparent.ts"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

describe("traceparent", () => {
  it.each([
    { name: "sampled", text: `00-${traceId}-${spanId}-01`, flags: 1 },
    { name: "not sampled", text: `00-${traceId}-${spanId}-00`, flags: 0 },
    { name: "with flags that nobody knows yet", text: `00-${traceId}-${spanId}-03`, flags: 1 },
  ])("reads one that is $name, and writes it back", ({ text, flags }) => {
    const context = parseTraceparent(text)
    expect(context).toEqual({ traceId, spanId, traceFlags: flags, isRemote: true })
    expect(context && formatTraceparent(context)).toBe(`00-${traceId}-${spanId}-0${flags}`)
  })

  it("reads what a later version may have added", () => {
    expect(parseTraceparent(`01-${traceId}-${spanId}-01-more`)).toMatchObject({ traceId, spanId })
  })

  it.each([
    { name: "nothing", text: undefined },
    { name: "a number", text: 5 },
    { name: "an object", text: { traceId } },
    { name: "empty", text: "" },
    { name: "a request id of an old kind", text: "|4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7." },
    { name: "of capitals", text: `00-${traceId.toUpperCase()}-${spanId}-01` },
    { name: "of the version that is forbidden", text: `ff-${traceId}-${spanId}-01` },
    { name: "longer than its version is", text: `00-${traceId}-${spanId}-01-more` },
    { name: "of no trace", text: `00-${"0".repeat(32)}-${spanId}-01` },
    { name: "of no span", text: `00-${traceId}-${"0".repeat(16)}-01` },
    { name: "endless", text: `01-${traceId}-${spanId}-01-${"x".repeat(1000)}` },
    { name: "of two lines", text: `00-${traceId}-${spanId}-01\nx: y` },
  ])("takes no $name", ({ text }) => {
    expect(parseTraceparent(text)).toBeUndefined()
  })

  it("is not written for a span of no trace, as without telemetry", () => {
    expect(
      formatTraceparent({ traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 }),
    ).toBeUndefined()
  })
})
