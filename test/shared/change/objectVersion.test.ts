import { describe, expect, it } from "vitest"
import { collectionOf, formatVersionUrl, parseVersionUrl } from "../../../shared/change/objectVersion.ts"

const v1 = "0123456789abcdef0123456789abcdef"
const vault = "https://kv-demo.vault.azure.net"
const object = {
  vault,
  host: "kv-demo.vault.azure.net",
  kind: "secret",
  name: "db-conn",
  version: v1,
} as const

describe("parseVersionUrl", () => {
  const accepted = [
    { name: "a secret", url: `${vault}/secrets/db-conn/${v1}`, expected: object },
    {
      name: "a certificate",
      url: `${vault}/certificates/tls/${v1}`,
      expected: { ...object, kind: "certificate", name: "tls" },
    },
    {
      name: "upper case in host, name and version",
      url: `https://KV-Demo.Vault.Azure.NET/secrets/DB-Conn/${v1.toUpperCase()}`,
      expected: object,
    },
    {
      name: "the default port as no port",
      url: `https://kv-demo.vault.azure.net:443/secrets/db-conn/${v1}`,
      expected: object,
    },
    {
      name: "another port",
      url: `https://127.0.0.1:8443/secrets/db-conn/${v1}`,
      expected: { ...object, vault: "https://127.0.0.1:8443", host: "127.0.0.1:8443" },
    },
    {
      name: "a name of 127 characters",
      url: `${vault}/secrets/${"n".repeat(127)}/${v1}`,
      expected: { ...object, name: "n".repeat(127) },
    },
  ]
  it.each(accepted)("reads $name", ({ url, expected }) => {
    expect(parseVersionUrl(url)).toEqual({ object: expected })
  })

  const path = `/secrets/db-conn/${v1}`
  const refused = [
    { name: "nothing", url: "", problem: "does not begin with https://" },
    { name: "http", url: `http://kv${path}`, problem: "does not begin with https://" },
    { name: "an upper-case scheme", url: `HTTPS://kv${path}`, problem: "does not begin with https://" },
    { name: "a leading space", url: ` ${vault}${path}`, problem: "does not begin with https://" },
    { name: "one slash", url: `https:/kv${path}`, problem: "does not begin with https://" },
    { name: "three slashes", url: `https:///kv${path}`, problem: "path" },
    { name: "no host", url: `https://${path}`, problem: "host" },
    { name: "a query", url: `${vault}${path}?a=b`, problem: "query" },
    { name: "an empty fragment", url: `${vault}${path}#`, problem: "query" },
    { name: "an encoded dot", url: `${vault}/secrets/%2e%2E/${v1}`, problem: "percent-encoded" },
    { name: "an encoded slash", url: `${vault}/secrets%2Fdb-conn/${v1}`, problem: "percent-encoded" },
    { name: "an encoded letter in the host", url: `https://k%76${path}`, problem: "percent-encoded" },
    { name: "a tab", url: `${vault}/secrets/db-\tconn/${v1}`, problem: "characters" },
    { name: "a line break", url: `${vault}${path}\n`, problem: "characters" },
    { name: "a backslash", url: `${vault}\\secrets\\db-conn\\${v1}`, problem: "characters" },
    { name: "a space", url: `${vault}${path} `, problem: "characters" },
    {
      name: "a letter beyond ASCII",
      url: `https://kv-d\u00e9mo.vault.azure.net${path}`,
      problem: "characters",
    },
    { name: "a full-width dot", url: `https://kv-demo\uff0evault${path}`, problem: "characters" },
    { name: "a Kelvin sign", url: `https://\u212av-demo${path}`, problem: "characters" },
    {
      name: "an encoded international name",
      url: `https://XN--kv-dmo-eva.vault.azure.net${path}`,
      problem: "encoded international",
    },
    { name: "one in a later label", url: `https://kv.xn--zckzah${path}`, problem: "encoded international" },
    {
      name: "user information",
      url: `https://user@kv-demo.vault.azure.net${path}`,
      problem: "user information",
    },
    {
      name: "a user and a password",
      url: `https://u:p@kv-demo.vault.azure.net${path}`,
      problem: "user information",
    },
    { name: "a trailing dot in the host", url: `https://kv-demo.vault.azure.net.${path}`, problem: "host" },
    { name: "an empty label", url: `https://kv-demo..net${path}`, problem: "host" },
    { name: "an underscore in the host", url: `https://kv_demo${path}`, problem: "host" },
    { name: "a hyphen at a label's end", url: `https://kv-.net${path}`, problem: "host" },
    { name: "a label of 64", url: `https://${"a".repeat(64)}${path}`, problem: "host" },
    { name: "a host of 254", url: `https://${"a.".repeat(126)}aa${path}`, problem: "host" },
    { name: "a bracketed address", url: `https://[::1]:8443${path}`, problem: "host" },
    { name: "a short address", url: `https://127.1${path}`, problem: "unusual form" },
    { name: "an address as one number", url: `https://2130706433${path}`, problem: "unusual form" },
    { name: "an address in hex", url: `https://0x7f.0.0.1${path}`, problem: "unusual form" },
    { name: "an address that ends in hex", url: `https://127.0.0.0x1${path}`, problem: "unusual form" },
    { name: "an address that ends in a hex 10", url: `https://127.0.0.0x10${path}`, problem: "unusual form" },
    { name: "an address in octal", url: `https://0177.0.0.1${path}`, problem: "unusual form" },
    { name: "an address out of range", url: `https://256.0.0.1${path}`, problem: "unusual form" },
    { name: "an empty port", url: `https://kv:${path}`, problem: "port" },
    { name: "port 0", url: `https://kv:0${path}`, problem: "port" },
    { name: "a port with a zero in front", url: `https://kv:0443${path}`, problem: "port" },
    { name: "a port beyond 65535", url: `https://kv:65536${path}`, problem: "port" },
    { name: "two ports", url: `https://kv:1:2${path}`, problem: "port" },
    { name: "no version", url: `${vault}/secrets/db-conn`, problem: "path" },
    { name: "an empty version", url: `${vault}/secrets/db-conn/`, problem: "32 hexadecimal" },
    { name: "a trailing slash", url: `${vault}${path}/`, problem: "path" },
    { name: "a climbing path", url: `${vault}/secrets/a/${v1}/../../b/${v1}`, problem: "path" },
    { name: "a climbing path of the right length", url: `${vault}/secrets/../${v1}`, problem: "name" },
    { name: "a dot for a name", url: `${vault}/secrets/./${v1}`, problem: "name" },
    { name: "an empty name", url: `${vault}/secrets//${v1}`, problem: "name" },
    { name: "a name of 128 characters", url: `${vault}/secrets/${"n".repeat(128)}/${v1}`, problem: "name" },
    { name: "an underscore in the name", url: `${vault}/secrets/db_conn/${v1}`, problem: "name" },
    { name: "a version of 31 digits", url: `${vault}/secrets/a/${v1.slice(1)}`, problem: "32 hexadecimal" },
    { name: "a version of 33 digits", url: `${vault}/secrets/a/${v1}0`, problem: "32 hexadecimal" },
    {
      name: "a version with a g",
      url: `${vault}/secrets/a/${v1.replace("f", "g")}`,
      problem: "32 hexadecimal",
    },
    { name: "a deleted secret", url: `${vault}/deletedsecrets/a/${v1}`, problem: "collection" },
    { name: "an upper-case collection", url: `${vault}/Secrets/a/${v1}`, problem: "collection" },
    { name: "a collection from the prototype", url: `${vault}/constructor/a/${v1}`, problem: "collection" },
    { name: "513 characters", url: `${vault}/secrets/${"n".repeat(440)}/${v1}`, problem: "512 characters" },
  ]
  it.each(refused)("refuses $name", ({ url, problem }) => {
    expect(parseVersionUrl(url)).toEqual({ problem: expect.stringContaining(problem) })
  })

  const unsupported = [
    { name: "a key", url: `${vault}/keys/k/${v1}`, expected: { unsupported: "key", host: object.host } },
    {
      name: "a key in a managed HSM",
      url: `https://HSM1.managedhsm.azure.net/keys/k/${v1}`,
      expected: { unsupported: "managedHsm", host: "hsm1.managedhsm.azure.net" },
    },
  ]
  it.each(unsupported)("tells $name apart", ({ url, expected }) => {
    expect(parseVersionUrl(url)).toEqual(expected)
  })

  it.each(["managedhsm.vault.azure.net", "a.b.managedhsm.azure.net", "a.managedhsm:8443"])(
    "takes %s for no managed HSM",
    (host) => {
      expect(parseVersionUrl(`https://${host}/keys/k/${v1}`)).toEqual({ unsupported: "key", host })
    },
  )
})

describe("formatVersionUrl", () => {
  it("writes the canonical form", () => {
    expect(formatVersionUrl(object)).toBe(`${vault}/secrets/db-conn/${v1}`)
    expect(formatVersionUrl({ ...object, kind: "certificate" })).toBe(`${vault}/certificates/db-conn/${v1}`)
  })
})

describe("collectionOf", () => {
  it("names the path segment of a kind", () => {
    expect([collectionOf("secret"), collectionOf("certificate")]).toEqual(["secrets", "certificates"])
  })
})
