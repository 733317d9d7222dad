import type { TokenCredential } from "@azure/core-auth"
import {
  bearerTokenAuthenticationPolicy,
  type BearerTokenAuthenticationPolicyOptions,
  createEmptyPipeline,
  type Pipeline,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
  setClientRequestIdPolicy,
  userAgentPolicy,
} from "@azure/core-rest-pipeline"

/** The version of the Blob service's interface that own requests are written to. */
export const blobServiceVersion = "2025-01-05"

const scope = "https://storage.azure.com/.default"

/**
 * The SDK's own pipeline for requests that no client of the storage SDK makes: its policies for the token, the request
 * id and the user agent. It retries nothing.
 */
export function createBlobPipeline(credential: TokenCredential): Pipeline {
  const pipeline = createEmptyPipeline()
  pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: "keyvault-change-backup" }))
  pipeline.addPolicy(setClientRequestIdPolicy())
  pipeline.addPolicy(
    bearerTokenAuthenticationPolicy({
      credential,
      scopes: scope,
      challengeCallbacks: { authorizeRequestOnChallenge: authorizeForTenant },
    }),
    { phase: "Sign" },
  )
  return pipeline
}

/**
 * The error of an answer that is not what `operation` hoped for, as the storage client throws it. The service's code is
 * in a header; whatever stands between may know only the body's form.
 */
export function refusalOf(
  operation: string,
  request: PipelineRequest,
  response: PipelineResponse,
): RestError {
  const { status, headers, bodyAsText } = response
  const code = headers.get("x-ms-error-code") ?? /<Code>(\w{1,80})<\/Code>/.exec(bodyAsText ?? "")?.[1]
  return new RestError(`${operation} was answered with ${status}`, {
    statusCode: status,
    request,
    response,
    ...(code === undefined ? {} : { code }),
  })
}

type ChallengeCallback = NonNullable<
  NonNullable<BearerTokenAuthenticationPolicyOptions["challengeCallbacks"]>["authorizeRequestOnChallenge"]
>

/**
 * Asks for a token of the account's tenant, which a person's own tenant need not be.
 *
 * Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#bearer-challenge
 */
const authorizeForTenant: ChallengeCallback = async ({ request, response, scopes, getAccessToken }) => {
  const challenge = response.headers.get("WWW-Authenticate") ?? ""
  const tenantId = /authorization_uri="?https:\/\/[^/\s"]+\/([0-9a-f-]{36})\//i.exec(challenge)?.[1]
  const token = tenantId === undefined ? null : await getAccessToken(scopes, { tenantId })
  if (!token) return false
  request.headers.set("Authorization", `Bearer ${token.token}`)
  return true
}
