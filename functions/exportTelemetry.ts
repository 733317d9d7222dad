import { createCredential } from "../shared/azureCredential.ts"
import { systemClock } from "../shared/clock.ts"
import { ServiceError } from "../shared/errors.ts"
import { createLog, errorFields, type LogLevel } from "../shared/log.ts"
import type { TelemetryExport } from "../shared/telemetry/azureTelemetryExport.ts"

/** The last metrics and spans may take so long to leave when the app ends. */
const closePatienceMs = 3000

/**
 * Exports telemetry to Application Insights when `APPLICATIONINSIGHTS_CONNECTION_STRING` is set, as the identity that
 * `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` names (`Authorization=AAD;ClientId=…`, without a client id the
 * system-assigned one), where that is set: the settings by which the host itself exports.
 *
 * Never rejects, and its `close` does not either: backups go on without telemetry, and the log says so.
 */
export async function openTelemetryExport(
  env: Readonly<Record<string, string | undefined>>,
  write: (level: LogLevel, line: string) => void,
): Promise<TelemetryExport | undefined> {
  const connectionString = env["APPLICATIONINSIGHTS_CONNECTION_STRING"]?.trim()
  if (!connectionString) return undefined
  const log = createLog(write, systemClock)
  try {
    const authentication = readAuthentication(env["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"])
    const { startAzureTelemetryExport } = await import("../shared/telemetry/azureTelemetryExport.ts")
    const instance = env["WEBSITE_INSTANCE_ID"]
    const started = startAzureTelemetryExport({
      connectionString,
      ...(authentication ? { credential: createCredential("managedIdentity", authentication.clientId) } : {}),
      service: {
        name: env["WEBSITE_SITE_NAME"] || "keyvault-change-backup",
        ...(instance ? { instance } : {}),
      },
      isSampledByEnvironment: Boolean(env["OTEL_TRACES_SAMPLER"]?.trim()),
      onFailure: (error) => log.warn("telemetry.exportFailed", errorFields(error)),
    })
    const close = async () => {
      const ended = new AbortController()
      const late = systemClock.sleep(closePatienceMs, { signal: ended.signal }).then(
        () => log.warn("telemetry.exportFailed", { reason: "the app ends" }),
        () => {},
      )
      try {
        await Promise.race([started.close(), late])
      } catch (error) {
        log.warn("telemetry.exportFailed", errorFields(error))
      } finally {
        ended.abort()
      }
    }
    return { ...started, close }
  } catch (error) {
    log.warn("telemetry.notStarted", errorFields(error))
    return undefined
  }
}

/** @throws ServiceError ERR_CONFIG_INVALID for a text that asks for no token of a managed identity. */
function readAuthentication(text = ""): { readonly clientId: string | undefined } | undefined {
  if (text.trim() === "") return undefined
  const parts = new Map(
    text.split(";").map((part) => {
      const [name = "", value = ""] = part.split("=")
      return [name.trim().toLowerCase(), value.trim()] as const
    }),
  )
  if (parts.get("authorization")?.toUpperCase() !== "AAD") {
    throw new ServiceError(
      "ERR_CONFIG_INVALID",
      "APPLICATIONINSIGHTS_AUTHENTICATION_STRING must be Authorization=AAD, with ;ClientId=… for a user-assigned identity",
    )
  }
  return { clientId: parts.get("clientid") || undefined }
}
