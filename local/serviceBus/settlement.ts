import type { ApplicationProperties } from "./storedMessage.ts"

/** How a receiver ends its delivery. Properties are added to the application properties. */
export type Settlement =
  | { readonly outcome: "complete" }
  | { readonly outcome: "abandon" | "defer"; readonly properties: ApplicationProperties }
  | { readonly outcome: "deadLetter"; readonly properties: ApplicationProperties }

/** What became of a settlement. `notAllowed`: a dead letter cannot be dead-lettered again; its lock stays. */
export type SettlementResult = "settled" | "lockLost" | "notAllowed"
