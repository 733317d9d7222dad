/** Who runs a replay, for whoever is kept waiting. */
export interface LeaseHolder {
  readonly run: string
  readonly host: string
  readonly since: Date
}

export interface HeldLease {
  /** Aborted when the lease could not be kept: then another runner may have begun. */
  readonly signal: AbortSignal
  /** Gives the lease up. Never throws: it ends by itself soon. Safe to repeat. */
  release(): Promise<void>
}

/** Lets one runner work at a time, whatever machine it is on. */
export interface RunnerLease {
  /**
   * Takes the lease and keeps it until it is released.
   *
   * @throws ServiceError ERR_REPLAY_LEASE_HELD, whose details name the holder; ERR_STORE_FORBIDDEN, ERR_STORE_FIREWALL,
   * ERR_STORE_UNAVAILABLE, ERR_STORE_NOT_FOUND.
   */
  acquire(holder: LeaseHolder): Promise<HeldLease>
}
