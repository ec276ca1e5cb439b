/** The way to a server below Redis: its name, TCP, TLS and the certificate. Knows nothing of commands. */

import { lookup } from "node:dns/promises"
import { connect as connectSocket, isIP, type Socket } from "node:net"
import { connect as connectTls, type TLSSocket } from "node:tls"
import type { RedixOptions, TlsOptions } from "../index.ts"
import type { Target } from "./connect.ts"
import type { Findings } from "./findings.ts"
import { duration, longDuration } from "./terminal.ts"

const DAY_MS = 86_400_000
/** Certificates that end sooner are worth a warning. */
const FEW_DAYS = 30
const DEFAULT_TIMEOUT_MS = 5000

export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly path: string | undefined
  /** `undefined` for none. */
  readonly tls: TlsOptions | undefined
}

/** Whether there is anything that could be talked to. */
export async function examineNetwork(target: Target, findings: Findings): Promise<boolean> {
  const endpoint = endpointOf(target.url ?? "", target.options)
  const timeout = Math.min(target.options.timeout ?? DEFAULT_TIMEOUT_MS, 2 ** 31 - 1)
  if (endpoint.path === undefined && !(await resolve(endpoint.host, findings))) return false
  if (!(await reachTcp(endpoint, timeout, findings))) return false
  if (endpoint.tls === undefined) {
    const isLocal = endpoint.path !== undefined || isLoopback(endpoint.host)
    if (isLocal) findings.skip("TLS", "not used; the server is on this machine")
    else findings.warn("TLS", "not used", "passwords and data can be read on the way: rediss:// or --tls")
    return true
  }
  return reachTls(endpoint, endpoint.tls, timeout, findings)
}

/** Where the options lead to. The driver has already refused a URL that cannot be read. */
export function endpointOf(url: string, options: RedixOptions): Endpoint {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/is.exec(url) ?? []
  const address = rest.slice(rest.lastIndexOf("@") + 1)
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?/.exec(address) ?? []
  const isSecure = /^(rediss|valkeys)$/i.test(scheme)
  const { tls = isSecure } = options
  return {
    host: options.host ?? (bracketed || plain || "localhost"),
    port: options.port ?? Number(port ?? 6379),
    path: options.path ?? (/^unix$/i.test(scheme) ? decodeURIComponent(rest) : undefined),
    tls: tls === false ? undefined : tls === true ? {} : tls,
  }
}

async function resolve(host: string, findings: Findings): Promise<boolean> {
  if (isIP(host) !== 0) {
    findings.skip("name", `${host} is an address`)
    return true
  }
  const startedAt = performance.now()
  try {
    const found = await lookup(host, { all: true })
    const addresses = found.map(({ address }) => address).join(", ")
    findings.ok("name", `${host} is ${addresses} (${duration(performance.now() - startedAt)})`)
    return true
  } catch (error) {
    findings.problem("name", messageOf(error), `${host} is not known here: check the name and the DNS`)
    return false
  }
}

async function reachTcp(endpoint: Endpoint, timeout: number, findings: Findings): Promise<boolean> {
  const { host, port, path } = endpoint
  const what = path === undefined ? "TCP" : "socket"
  const startedAt = performance.now()
  const socket = path === undefined ? connectSocket({ host, port }) : connectSocket({ path })
  try {
    await opened(socket, "connect", timeout)
    const from = path ?? `${socket.remoteAddress}:${socket.remotePort}`
    findings.ok(what, `${from} answers (${duration(performance.now() - startedAt)})`)
    return true
  } catch (error) {
    findings.problem(what, messageOf(error), adviceFor(error))
    return false
  } finally {
    socket.destroy()
  }
}

async function reachTls(
  { host, port }: Endpoint,
  options: TlsOptions,
  timeout: number,
  findings: Findings,
): Promise<boolean> {
  const startedAt = performance.now()
  const servername = options.servername ?? (isIP(host) === 0 ? host : undefined)
  // Looked at even where it is not trusted, to say what is wrong with it.
  const socket = connectTls({
    ...options,
    host,
    port,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
  })
  try {
    await opened(socket, "secureConnect", timeout)
    const took = duration(performance.now() - startedAt)
    const isTrusted = examineCertificate(socket, options, findings)
    if (isTrusted)
      findings.ok("TLS", `${socket.getProtocol() ?? "TLS"}, ${socket.getCipher().name} (${took})`)
    return isTrusted
  } catch (error) {
    findings.problem("TLS", messageOf(error), "is it a TLS port? Does it want a certificate (--cert, --key)?")
    return false
  } finally {
    socket.destroy()
  }
}

/** Whether the driver would accept it. */
function examineCertificate(socket: TLSSocket, options: TlsOptions, findings: Findings): boolean {
  const certificate = socket.getPeerCertificate()
  const subject = nameOf(certificate.subject) || certificate.subjectaltname || "a name that is not given"
  const ends = Date.parse(certificate.valid_to)
  const left = ends - Date.now()
  const until = Number.isNaN(ends) ? "an unknown time" : new Date(ends).toISOString().slice(0, 10)
  const text = `for ${subject}, by ${nameOf(certificate.issuer) || "itself"}, until ${until}`
  const isAccepted = socket.authorized || options.rejectUnauthorized === false
  if (left <= 0) {
    findings.problem("certificate", `${text}: expired ${longDuration(-left)} ago`, "renew it at the server")
  } else if (!socket.authorized) {
    const why = String(socket.authorizationError)
    if (isAccepted)
      findings.warn("certificate", `${text}: not trusted (${why})`, "drop --insecure and give --ca FILE")
    else findings.problem("certificate", `${text}: not trusted (${why})`, adviceForCertificate(why))
  } else if (left < FEW_DAYS * DAY_MS) {
    findings.warn("certificate", `${text}: ends in ${longDuration(left)}`, "renew it soon")
  } else {
    findings.ok("certificate", `${text} (${longDuration(left)})`)
  }
  return isAccepted
}

function adviceForCertificate(why: string): string {
  if (/ALTNAME/.test(why)) return "it is for another name: --servername says which one to expect"
  if (/EXPIRED/.test(why)) return "renew it at the server"
  return "--ca FILE says which authority to trust"
}

/** Of a name of several values the first one. */
function nameOf(names: { readonly CN?: unknown; readonly O?: unknown } | undefined): string {
  const name = names?.CN ?? names?.O ?? ""
  return String(Array.isArray(name) ? name[0] : name)
}

function opened(socket: Socket, event: "connect" | "secureConnect", timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${duration(timeout)}`)), timeout)
    const settle = (act: () => void) => {
      clearTimeout(timer)
      act()
    }
    socket.once(event, () => settle(resolve))
    // Stays: what comes later concerns nobody.
    socket.on("error", (error) => settle(() => reject(error)))
    socket.once("close", () => settle(() => reject(new Error("closed before anything was said"))))
  })
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(messageOf))].join("; ")
  return error instanceof Error ? error.message : String(error)
}

function adviceFor(error: unknown): string {
  const text = messageOf(error)
  if (/ECONNREFUSED/.test(text))
    return "nothing listens there: is the server up, and bound to that address and port?"
  if (/ENOENT/.test(text)) return "no such socket: see unixsocket in the server's configuration"
  if (/EACCES/.test(text)) return "you may not use that socket: check its permissions"
  return "a firewall, or a wrong address?"
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host)
}
