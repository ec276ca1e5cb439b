/**
 * Certificates for tests with TLS, made by the `openssl` program: a private authority, a server and a client that
 * it vouches for, and a second authority which it does not know. Who uses them is the business of its callers.
 */
import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { temporaryFolder } from "./cleanup.ts"

/** PEM texts, and the names of files with the same. */
export interface Certificates {
  readonly dir: string
  readonly ca: string
  readonly caFile: string
  /** For `localhost`, `127.0.0.1` and `::1`. */
  readonly serverCert: string
  readonly serverCertFile: string
  readonly serverKey: string
  readonly serverKeyFile: string
  readonly clientCert: string
  readonly clientCertFile: string
  readonly clientKey: string
  readonly clientKeyFile: string
  /** An authority that has signed none of the others. */
  readonly otherCa: string
}

let created: Promise<Certificates> | undefined

/** The certificates of this process: made at the first call, gone when the process is. */
export function createCertificates(): Promise<Certificates> {
  created ??= create(temporaryFolder("tls"))
  return created
}

async function create(dir: string): Promise<Certificates> {
  const file = (name: string) => join(dir, name)
  const text = (name: string) => readFile(file(name), "utf8")
  await Promise.all([createAuthority(dir, "ca"), createAuthority(dir, "other-ca")])
  await Promise.all([createLeaf(dir, "server"), createLeaf(dir, "client")])
  return {
    dir,
    ca: await text("ca.crt"),
    caFile: file("ca.crt"),
    serverCert: await text("server.crt"),
    serverCertFile: file("server.crt"),
    serverKey: await text("server.key"),
    serverKeyFile: file("server.key"),
    clientCert: await text("client.crt"),
    clientCertFile: file("client.crt"),
    clientKey: await text("client.key"),
    clientKeyFile: file("client.key"),
    otherCa: await text("other-ca.crt"),
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

async function createAuthority(dir: string, name: string): Promise<void> {
  await openssl(dir, [
    ...["req", "-x509", ...newKey, "-days", "2", "-subj", `/CN=${name}`],
    ...["-keyout", `${name}.key`, "-out", `${name}.crt`],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ])
}

async function createLeaf(dir: string, name: "server" | "client"): Promise<void> {
  const extensions = [
    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
    `extendedKeyUsage=${name}Auth`,
    "basicConstraints=CA:FALSE",
  ]
  await writeFile(join(dir, `${name}.ext`), extensions.join("\n"))
  await openssl(dir, [
    ...["req", ...newKey, "-subj", `/CN=${name}`],
    ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
  ])
  await openssl(dir, [
    ...["x509", "-req", "-in", `${name}.csr`, "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.crt`],
    // A fixed number instead of a counter file, which two leaves at the same time would fight for.
    ...["-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", name === "server" ? "1" : "2"],
  ])
}

async function openssl(dir: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)("openssl", args, { cwd: dir })
}
