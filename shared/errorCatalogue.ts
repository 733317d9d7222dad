/**
 * What becomes of the work that met the error. `retry`: deferred, a scheduled copy is sent. `poison`: moved to
 * quarantine with its code. `throw`: the broker keeps the true bytes and dead-letters them. `gap`: a gap record
 * is written. `stop`: the worker does not start, or the command ends.
 */
export type Disposition = "retry" | "poison" | "throw" | "gap" | "stop"

/** What the catalogue says about one code. `hint` starts with a verb and names the next step. */
export interface CatalogueEntry {
  readonly disposition: Disposition
  readonly exitCode: number
  readonly when: string
  readonly hint: string
}

/** Every error code. A code is never reused or renamed; `docs/errors.md` is generated from this table. */
export const catalogue = {
  ERR_CONFIG_INVALID: {
    disposition: "stop",
    exitCode: 2,
    when: "A setting or an argument is missing, unknown or out of range.",
    hint: "Set the named setting to a value in the range the message gives.",
  },
  ERR_UNKNOWN: {
    disposition: "retry",
    exitCode: 1,
    when: "Anything that is not classified.",
    hint: "Look at the cause in the log, and report it.",
  },
  ERR_EVENT_MALFORMED: {
    disposition: "poison",
    exitCode: 20,
    when: "The payload is no Key Vault change event.",
    hint: "Look at the message body in quarantine, and fix the publisher.",
  },
  ERR_EVENT_NOT_ALLOWED: {
    disposition: "poison",
    exitCode: 20,
    when: "The vault is not on the allow-list.",
    hint: "Add the vault to BACKUP_VAULTS, or find out who publishes these events.",
  },
  ERR_EVENT_LOSSY: {
    disposition: "throw",
    exitCode: 20,
    when: "The body arrived with replacement characters, so bytes were lost on the way to the function.",
    hint: "Run `kvbackup replay --from dead-letter`: it decodes the true bytes.",
  },
  ERR_EVENT_COLLISION: {
    disposition: "poison",
    exitCode: 20,
    when: "Keys of the body collide with broker metadata, or its fields contradict the object id.",
    hint: "Find out who sent it; Event Grid does not send such messages.",
  },
  ERR_VAULT_RESPONSE_INVALID: {
    disposition: "retry",
    exitCode: 24,
    when: "The vault's answer is not the object that was asked for.",
    hint: "Look for a proxy between the worker and the vault.",
  },
  ERR_VAULT_VALUE_ABSENT: {
    disposition: "gap",
    exitCode: 21,
    when: "The version has no value.",
    hint: "Look at the object in the vault.",
  },
  ERR_VAULT_VERSION_ABSENT: {
    disposition: "gap",
    exitCode: 21,
    when: "The vault answered 404 for exactly that version, also after one short retry.",
    hint: "Check whether the object is soft-deleted, and recover it while that is possible.",
  },
  ERR_VAULT_VERSION_DISABLED: {
    disposition: "gap",
    exitCode: 21,
    when: "The version is disabled, so its value cannot be read.",
    hint: "Enable the version; reconciliation backs it up then.",
  },
  ERR_VAULT_KEY_NOT_EXPORTABLE: {
    disposition: "stop",
    exitCode: 21,
    when: "A certificate's record holds its public part only, because its policy kept the private key in the vault.",
    hint: "Use `kvbackup restore --to-dir` for the public part; a new certificate has to be issued.",
  },
  ERR_VAULT_FIREWALL: {
    disposition: "retry",
    exitCode: 22,
    when: "403 with inner code ForbiddenByFirewall or ForbiddenByConnection.",
    hint: "Run `kvbackup doctor` where the worker runs: it tells DNS zone, private endpoint and firewall apart.",
  },
  ERR_VAULT_CHALLENGE: {
    disposition: "retry",
    exitCode: 23,
    when: "The vault asks for a token of a resource that does not fit its host, or is not BACKUP_VAULT_AUDIENCE; none is sent.",
    hint: "Check that BACKUP_VAULTS names the vault itself and BACKUP_VAULT_AUDIENCE its cloud; whoever answers there may be somebody else.",
  },
  ERR_VAULT_FORBIDDEN: {
    disposition: "retry",
    exitCode: 23,
    when: "403 or 401 from the vault for want of a role, a policy or a valid token.",
    hint: "Assign the backup role (get secrets, get certificates) to the identity at the vault.",
  },
  ERR_VAULT_THROTTLED: {
    disposition: "retry",
    exitCode: 24,
    when: "429 from the vault.",
    hint: "Lower the concurrency or the replay rate.",
  },
  ERR_VAULT_UNAVAILABLE: {
    disposition: "retry",
    exitCode: 22,
    when: "The vault could not be reached, or answered 5xx.",
    hint: "Check name resolution and the network path to the vault; retries go on by themselves.",
  },
  ERR_STORE_FIREWALL: {
    disposition: "retry",
    exitCode: 22,
    when: "Storage answered 403 AuthorizationFailure, which it gives for a blocked network path.",
    hint: "Run `kvbackup doctor` where the worker runs: it tells DNS zone, private endpoint and network rules apart.",
  },
  ERR_STORE_FORBIDDEN: {
    disposition: "retry",
    exitCode: 23,
    when: "Storage answered 403 AuthorizationPermissionMismatch or refused the token.",
    hint: "Assign the data role on the container to the identity, and wait some minutes for it to apply.",
  },
  ERR_STORE_UNAVAILABLE: {
    disposition: "retry",
    exitCode: 22,
    when: "The store could not be reached, or answered 429 or 5xx.",
    hint: "Check name resolution and the network path to the store; retries go on by themselves.",
  },
  ERR_STORE_NOT_FOUND: {
    disposition: "stop",
    exitCode: 25,
    when: "The container or the blob does not exist.",
    hint: "Check BACKUP_STORE_URL and BACKUP_STORE_CONTAINER against the deployment.",
  },
  ERR_STORE_NOT_IMMUTABLE: {
    disposition: "stop",
    exitCode: 25,
    when: "The container has no immutability policy.",
    hint: "Set a time-based retention policy on the container, and lock it.",
  },
  ERR_STORE_CONFLICT: {
    disposition: "stop",
    exitCode: 26,
    when: "A stored record opens, and is not the one of which its ledger entry tells.",
    hint: "Look for a second writer, and restore nothing from this record.",
  },
  ERR_SEAL_INTEGRITY: {
    disposition: "stop",
    exitCode: 26,
    when: "A stored record does not match its digest, its name or its authentication tag.",
    hint: "Do not restore from it; check other copies.",
  },
  ERR_SEAL_NO_KEY: {
    disposition: "stop",
    exitCode: 26,
    when: "None of the keys at hand is a recipient of the record.",
    hint: "Use a key whose kid stands among the record's recipients.",
  },
  ERR_FORMAT_NEWER: {
    disposition: "stop",
    exitCode: 26,
    when: "A record has a format this release does not know.",
    hint: "Use a newer release.",
  },
  ERR_QUEUE_FORBIDDEN: {
    disposition: "retry",
    exitCode: 23,
    when: "Service Bus refused the identity (missing Send or Listen claim).",
    hint: "Assign the Service Bus data role on the queue to the identity.",
  },
  ERR_QUEUE_FIREWALL: {
    disposition: "retry",
    exitCode: 22,
    when: "Service Bus refused the network path.",
    hint: "Run `kvbackup doctor` where the worker runs: it tells DNS zone, private endpoint and network rules apart.",
  },
  ERR_QUEUE_NOT_FOUND: {
    disposition: "retry",
    exitCode: 25,
    when: "The queue does not exist.",
    hint: "Check BACKUP_QUEUE and BACKUP_QUARANTINE_QUEUE against the deployment.",
  },
  ERR_QUEUE_UNAVAILABLE: {
    disposition: "retry",
    exitCode: 22,
    when: "Service Bus could not be reached, was busy or timed out.",
    hint: "Check name resolution and the network path to the namespace; retries go on by themselves.",
  },
  ERR_QUEUE_LOCK_LOST: {
    disposition: "retry",
    exitCode: 24,
    when: "The lock on a message ended while it was worked on.",
    hint: "Do nothing, every step may be repeated; watch how long the work takes.",
  },
  ERR_REPLAY_LEASE_HELD: {
    disposition: "stop",
    exitCode: 27,
    when: "Another replay is running: it holds the lease in the state container.",
    hint: "Wait for the other replay to end; the lease of a killed one ends by itself after 30 seconds.",
  },
  ERR_REPLAY_PLAN_CHANGED: {
    disposition: "stop",
    exitCode: 27,
    when: "The messages are not those of the plan any more.",
    hint: "Look at the difference, then plan again, or add --replan to go on with what is there.",
  },
  ERR_REPLAY_UNCONFIRMED: {
    disposition: "retry",
    exitCode: 27,
    when: "Messages were sent again, and the broker did not confirm that the old ones are gone.",
    hint: "Run replay again; its journal knows what was sent, and only removes it.",
  },
  ERR_RESTORE_TARGET_EXISTS: {
    disposition: "stop",
    exitCode: 27,
    when: "The target has the name already, with other contents; nothing is overwritten.",
    hint: "Use another name (`--as NAME`) or another target.",
  },
  ERR_RESTORE_TARGET_DELETED: {
    disposition: "stop",
    exitCode: 27,
    when: "The target has a deleted object of that name, which can still be recovered.",
    hint: "Do one of these yourself: recover the object, purge it, or restore under another name with `--as NAME`.",
  },
  ERR_RESTORE_CERTIFICATE_EXPIRED: {
    disposition: "stop",
    exitCode: 27,
    when: "The certificate has expired, and Key Vault takes no expired certificate.",
    hint: "Use `kvbackup restore --to-dir` to get it as a file.",
  },
  ERR_RESTORE_OTHER_CLOUD: {
    disposition: "stop",
    exitCode: 27,
    when: "The record comes from a vault of another cloud than the target is in.",
    hint: "Add --allow-other-cloud if these contents may leave their cloud.",
  },
  ERR_RESTORE_DIFFERS: {
    disposition: "stop",
    exitCode: 27,
    when: "What was written to the target does not read back as it is in the record.",
    hint: "Look at the new version in the target before anything uses it.",
  },
  ERR_DIGEST_KEY: {
    disposition: "stop",
    exitCode: 26,
    when: "The key that signs or proves digests is absent, of another kind, or cannot be used.",
    hint: "Set BACKUP_DIGEST_KEY to an EC or RSA key: the URL of a Key Vault key, or a file with a private JWK.",
  },
  ERR_DIGEST_CHAIN: {
    disposition: "stop",
    exitCode: 26,
    when: "The store holds digests, and none of them is signed with a key that BACKUP_DIGEST_KEY names, so there is nothing to go on from.",
    hint: "Add the earlier key to BACKUP_DIGEST_KEY, after the one that signs; without it the chain would begin anew.",
  },
  ERR_DIGEST_LISTING: {
    disposition: "stop",
    exitCode: 25,
    when: "The listing of the store is not in the order of names, so that a digest of it would mean nothing.",
    hint: "Use a storage account without hierarchical namespace.",
  },
  ERR_CANARY_LATE: {
    disposition: "stop",
    exitCode: 30,
    when: "The canary was set, and its backup was not in the store within two minutes: changes do not get through.",
    hint: "Run `kvbackup status`: if nothing waits, look at the event subscription; if it waits, look at the worker.",
  },
  ERR_IDENTITY_UNAVAILABLE: {
    disposition: "retry",
    exitCode: 23,
    when: "No token could be had from the identity endpoint.",
    hint: "Check that the identity is assigned to the app and that its client id is right; as a person, choose --credential azureCli and log in with `az login`.",
  },
} as const satisfies Record<string, CatalogueEntry>
