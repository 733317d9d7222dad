/** An answer the vault gives instead of the object: `{"error": {code, message, innererror: {code}}}`. */
export class VaultError extends Error {
  override readonly name = "VaultError"
  readonly status: number
  readonly code: string
  readonly innerCode: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    init: {
      readonly innerCode?: string | undefined
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.innerCode = init.innerCode
    this.headers = init.headers ?? {}
  }
}

/** 400: an argument is missing, malformed or too large. `message` names the argument, never its value. */
export function badParameter(message: string): VaultError {
  return new VaultError(400, "BadParameter", message)
}

/** 403 with an inner code that tells why. */
export function forbidden(innerCode: string, message: string): VaultError {
  return new VaultError(403, "Forbidden", message, { innerCode })
}

/** 409 with an inner code that tells why. */
export function conflict(innerCode: string, message: string): VaultError {
  return new VaultError(409, "Conflict", message, { innerCode })
}

/** The JSON body of an error answer. */
export function errorBody(error: VaultError): Readonly<Record<string, unknown>> {
  const { code, message, innerCode } = error
  return { error: { code, message, ...(innerCode !== undefined && { innererror: { code: innerCode } }) } }
}
