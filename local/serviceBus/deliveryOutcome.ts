import type { Delivery, Typed } from "rhea"
import { elementsOf, typedMap } from "./amqpValue.ts"
import type { Settlement } from "./settlement.ts"

/** Positions in the outcomes' lists of fields (OASIS AMQP 1.0 part 3, section 3.4). */
const modifiedAnnotations = 2
const rejectedError = 0
const errorInfo = 2

/**
 * What the client wants done with a delivery: accepted completes, modified abandons or (undeliverable here) defers,
 * rejected dead-letters. Properties keep the types they have on the wire.
 */
export function readSettlement(
  outcome: "accepted" | "released" | "modified" | "rejected",
  delivery: Delivery,
): Settlement {
  const fields = (delivery.remote_state as { readonly value?: readonly Typed[] } | undefined)?.value ?? []
  switch (outcome) {
    case "accepted":
      return { outcome: "complete" }
    case "released":
      return { outcome: "abandon", properties: new Map() }
    case "modified": {
      const properties = typedMap(fields[modifiedAnnotations])
      return { outcome: delivery.remote_state?.["undeliverable_here"] ? "defer" : "abandon", properties }
    }
    case "rejected":
      // The info of the error holds the reason and the description under the very names of the properties.
      return { outcome: "deadLetter", properties: typedMap(elementsOf(fields[rejectedError])[errorInfo]) }
  }
}
