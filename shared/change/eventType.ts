import type { ObjectKind } from "./objectVersion.ts"

/**
 * What an event type asks for. `newVersion`: a backup, or for keys none. `ignored`: known, and nothing to back
 * up. `unknown`: of Key Vault, but this release has not heard of it. `foreign`: of another publisher.
 */
export type EventTypeClass =
  | { readonly is: "newVersion"; readonly kind: ObjectKind | "key" }
  | { readonly is: "ignored" | "unknown" | "foreign" }

const prefix = "microsoft.keyvault."

/** https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
const classes: ReadonlyMap<string, EventTypeClass> = new Map<string, EventTypeClass>([
  ["secretnewversioncreated", { is: "newVersion", kind: "secret" }],
  ["certificatenewversioncreated", { is: "newVersion", kind: "certificate" }],
  ["keynewversioncreated", { is: "newVersion", kind: "key" }],
  ...["secretnearexpiry", "certificatenearexpiry", "keynearexpiry"].map(ignored),
  ...["secretexpired", "certificateexpired", "keyexpired"].map(ignored),
  ignored("vaultaccesspolicychanged"),
])

/** Classifies an event type, without regard to case. */
export function classifyEventType(type: string): EventTypeClass {
  const folded = type.toLowerCase()
  if (!folded.startsWith(prefix)) return { is: "foreign" }
  return classes.get(folded.slice(prefix.length)) ?? { is: "unknown" }
}

function ignored(type: string): [string, EventTypeClass] {
  return [type, { is: "ignored" }]
}
