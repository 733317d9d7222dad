/** How a connection to one port went, as far as it came. */
export interface ConnectAnswer {
  readonly tcp: { readonly address: string } | { readonly problem: string }
  /** Absent where TCP did not come about, or where the service speaks no TLS. */
  readonly tls?: TlsAnswer
}

/** What was shown in the handshake. `problem`: why a client would not go on. */
export interface TlsAnswer {
  readonly protocol?: string
  readonly subject?: string
  readonly issuer?: string
  /** `name`: the certificate is another host's; `chain`: its issuer is not trusted here; `time`: not valid now. */
  readonly problem?: "name" | "chain" | "time" | "handshake"
  /** The code of the TLS library. */
  readonly code?: string
}

/** Port: opens a connection and a TLS session, says nothing on it, and closes it. Never rejects but when aborted. */
export interface Connector {
  connect(host: string, port: number, options?: { readonly signal?: AbortSignal }): Promise<ConnectAnswer>
}
