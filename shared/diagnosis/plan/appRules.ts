import { listAt, memberAt, textAt } from "../armAnswer.ts"
import { firewallsOf, isClosed } from "./networkRules.ts"
import type { Plan, PlanResource } from "./plan.ts"
import { finding, ofType, type PlanFinding, type PlanRule, storageType } from "./planFinding.ts"

const siteType = "microsoft.web/sites"

/** Settings of an app, whichever of the two ways they are given. */
function settingsOf(plan: Plan, site: PlanResource): Readonly<Record<string, string>> {
  const inline = listAt(memberAt(site.properties, "siteConfig"), "appSettings").map((item) => [
    textAt(item, "name"),
    textAt(item, "value"),
  ])
  const apart = ofType(plan, `${siteType}/config`).find(
    ({ name }) => name.toLowerCase() === `${site.name.toLowerCase()}/appsettings`,
  )
  return { ...Object.fromEntries(inline), ...strings(apart?.properties ?? {}) }
}

function strings(members: object): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  )
}

/** The function apps that hold a setting of this product, or read a namespace by identity. */
function appsOf(plan: Plan) {
  return ofType(plan, siteType)
    .map((site) => ({ site, settings: settingsOf(plan, site) }))
    .filter(({ settings }) => Object.keys(settings).length > 0)
}

/** A connection with an identity that is user-assigned needs to be told which, or it asks for one that is not there. */
const clientIds: PlanRule = (plan) =>
  appsOf(plan).flatMap(({ site, settings }): readonly PlanFinding[] => {
    const hasSystem = /SystemAssigned/i.test(textAt(site.identity, "type"))
    const ownId = settings["BACKUP_BACKUP_CLIENT_ID"] ?? ""
    const connections = Object.keys(settings).flatMap(
      (name) => /^(.+)__(?:fullyQualifiedNamespace|accountName|blobServiceUri)$/.exec(name)?.[1] ?? [],
    )
    const unnamed = [...new Set(connections)].filter((connection) => {
      const isOurs = connection === "BackupServiceBus" && ownId !== ""
      const isTold =
        (settings[`${connection}__clientId`] ?? "") !== "" &&
        (settings[`${connection}__credential`] ?? "").toLowerCase() === "managedidentity"
      return (!hasSystem || isOurs) && !isTold
    })
    const found = unnamed.map((connection) =>
      finding(
        "client-id-missing",
        site,
        `names no identity for ${connection}: it asks for the system-assigned one, and ${connection === "BackupServiceBus" ? "messages wait" : "the host does not start"}`,
        {
          what: `Set ${connection}__credential=managedidentity and ${connection}__clientId.`,
          setting: `${connection}__credential=managedidentity ${connection}__clientId=${ownId.startsWith("[") || ownId === "" ? "CLIENT_ID" : ownId}`,
          az: [
            `az functionapp config appsettings set --resource-group RESOURCE_GROUP --name ${site.name} --settings ${connection}__credential=managedidentity ${connection}__clientId=CLIENT_ID`,
          ],
        },
      ),
    )
    const isWorker = settings["BACKUP_VAULTS"] !== undefined
    if (!isWorker || hasSystem || ownId !== "") return found
    return [
      ...found,
      finding(
        "client-id-missing",
        site,
        "has user-assigned identities only, and BACKUP_BACKUP_CLIENT_ID names none",
        {
          what: "Set BACKUP_BACKUP_CLIENT_ID to the client id of the identity of backup.",
          setting: "BACKUP_BACKUP_CLIENT_ID=CLIENT_ID",
        },
      ),
    ]
  })

const storedKeys: PlanRule = (plan) =>
  appsOf(plan).flatMap(({ site, settings }) =>
    Object.entries(settings)
      .filter(([, value]) => /(AccountKey|SharedAccessKey|SharedAccessSignature)=/i.test(value))
      .map(([name]) =>
        finding("setting-with-key", site, `holds a key in ${name}`, {
          what: `Name the service in ${name}__… settings, and let the identity come in.`,
          az: [
            `az functionapp config appsettings delete --resource-group RESOURCE_GROUP --name ${site.name} --setting-names ${name}`,
          ],
        }),
      ),
  )

const outside: PlanRule = (plan) =>
  firewallsOf(plan).some((firewall) => isClosed(firewall))
    ? appsOf(plan)
        .filter(({ site }) => textAt(site.properties, "virtualNetworkSubnetId") === "")
        .map(({ site }) =>
          finding(
            "app-outside",
            site,
            "is in no network, and the services it needs take nobody from outside",
            {
              what: `Integrate ${site.name} with the network: a function app is no trusted service, and no resource rule can name it.`,
              az: [
                `az functionapp vnet-integration add --resource-group RESOURCE_GROUP --name ${site.name} --vnet NETWORK --subnet function`,
              ],
            },
          ),
        )
    : []

const containerType = `${storageType}/blobservices/containers`

/** The container that the settings name, where its account is part of the set-up. */
const retention: PlanRule = (plan) =>
  appsOf(plan).flatMap(({ settings }): readonly PlanFinding[] => {
    const account = /^https:\/\/([^./]+)\./.exec(settings["BACKUP_STORE_URL"] ?? "")?.[1]
    const name = settings["BACKUP_STORE_CONTAINER"] ?? "keyvault-backups"
    const container = ofType(plan, containerType).find(
      (each) => each.name.toLowerCase() === `${account}/default/${name}`.toLowerCase(),
    )
    if (account === undefined || container === undefined) return []
    const where = `--account-name ${account} --container-name ${name}`
    const policy = ofType(plan, `${containerType}/immutabilitypolicies`).find((each) =>
      each.name.toLowerCase().startsWith(`${container.name.toLowerCase()}/`),
    )
    // A locked policy is no part of a deployment any more; the lock on its account, which goes with it, is.
    const isLocked = ofType(plan, "microsoft.authorization/locks").some(
      ({ id }) => id === "" || id.includes(`/storageaccounts/${account.toLowerCase()}/`),
    )
    const days = Number(policy?.properties["immutabilityPeriodSinceCreationInDays"] ?? Number.NaN)
    const leastDays = Number(settings["BACKUP_STORE_MIN_RETENTION_DAYS"] ?? Number.NaN)
    const services = ofType(plan, `${storageType}/blobservices`).find(
      (each) => each.name.toLowerCase() === `${account.toLowerCase()}/default`,
    )
    return [
      ...(policy || isLocked
        ? []
        : [
            finding(
              "retention-missing",
              container,
              "has no retention policy: what lies there can be changed and deleted",
              {
                what: "Give the container a time-based retention policy, and lock it once it is right.",
                bicep: "retentionDays",
                az: [`az storage container immutability-policy create ${where} --period DAYS`],
              },
            ),
          ]),
      ...(days < leastDays
        ? [
            finding(
              "retention-short",
              container,
              `keeps blobs for ${days} days, and BACKUP_STORE_MIN_RETENTION_DAYS asks for ${leastDays}`,
              {
                what: `Let the policy last ${leastDays} days.`,
                bicep: `retentionDays = ${leastDays}`,
                az: [`az storage container immutability-policy create ${where} --period ${leastDays}`],
              },
            ),
          ]
        : []),
      ...(services?.properties["isVersioningEnabled"] === true
        ? [
            finding(
              "versioning-on",
              services,
              "has blob versioning on: an overwrite is taken, beside the version it hides",
              {
                what: "Turn blob versioning off in the account of the backups.",
                az: [
                  `az storage account blob-service-properties update --account-name ${account} --enable-versioning false`,
                ],
              },
            ),
          ]
        : []),
    ]
  })

export const appRules: readonly PlanRule[] = [clientIds, storedKeys, outside, retention]
