// Loaded before the app (`node --import`): trusts the authority in the PEM file that EXTRA_CA_FILE names, too.
import { readFileSync } from "node:fs"
import tls from "node:tls"

const caPem = readFileSync(process.env["EXTRA_CA_FILE"] ?? "", "utf8")
tls.setDefaultCACertificates([...tls.getCACertificates("default"), caPem])
