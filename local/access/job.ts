/**
 * Everyone who calls a server of the local cloud. The first seven are the identities of the product, one a
 * job; `user` is the person at the keyboard; `eventgrid` is the system topic that delivers to the queue.
 */
export const jobs = [
  "backup",
  "reconcile",
  "audit",
  "replay",
  "canary",
  "verify",
  "restore",
  "user",
  "eventgrid",
] as const

export type Job = (typeof jobs)[number]
