import type { ObjectVersion } from "../change/objectVersion.ts"

/** What a version is counted by: a certificate and its secret share name and version, and either protects both. */
export function versionKey({ host, name, version }: ObjectVersion): string {
  return `${host}/${name}/${version}`
}
