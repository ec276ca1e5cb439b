/**
 * The five URI schemes, and the option fields that a URI stands for. Leaves to options.ts which values and which
 * combinations of options are allowed.
 *
 * Read by hand: `new URL` cannot tell `user@` from `user:@`, and its error carries the whole input. No message
 * here repeats any part of the URI, since a part that was misread may belong to a password.
 */

import { isIPv6 } from "node:net"

/** The options that a URI gives; what it does not mention is absent. */
export interface UriParts {
  /** An IPv6 address is without its brackets. */
  host?: string
  port?: number
  /** The path of a Unix domain socket. */
  path?: string
  database?: number
  username?: string
  password?: string
  /** Only ever `true`: a scheme without TLS leaves the choice to the option. */
  tls?: true
}

const HAS_TLS: ReadonlyMap<string, boolean> = new Map([
  ["redis", false],
  ["rediss", true],
  ["valkey", false],
  ["valkeys", true],
])

/** What other drivers take from the query string, in small letters, and our option for it. */
const QUERY_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["clientname", "clientName"],
  ["client_name", "clientName"],
  ["database", "database"],
  ["db", "database"],
  ["family", "socket"],
  ["password", "password"],
  ["protocol", "protocol"],
  ["ssl", "tls"],
  ["timeout", "timeout"],
  ["tls", "tls"],
  ["user", "username"],
  ["username", "username"],
])

const ENCODE_HINT =
  "special characters in a user name or password must be percent-encoded, as encodeURIComponent does"

/**
 * The parts of `redis://`, `rediss://`, `valkey://` or `valkeys://[user:password@]host[:port][/database]`, or of
 * `unix:///path/to.sock`. Throws a `TypeError` whose message begins with `place` and shows nothing of the URI.
 */
export function parseUri(uri: string, place = "Redix URI"): UriParts {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/is.exec(uri) ?? []
  const name = scheme.toLowerCase()
  const tls = HAS_TLS.get(name)
  if (tls === undefined && name !== "unix") {
    throw misread(
      place,
      "expected it to begin with redis://, rediss://, valkey://, valkeys:// or unix://, and it does not",
    )
  }
  if (/\p{Cc}/u.test(rest)) throw misread(place, "it has a line break or another control character in it")
  if (tls === undefined) return parseSocketUri(rest, place)
  const parts = parseServerUri(rest, place)
  if (tls) parts.tls = true
  return parts
}

function parseSocketUri(rest: string, place: string): UriParts {
  refuseQuery(rest, place)
  if (!rest.startsWith("/") || rest === "/") {
    throw misread(
      place,
      'expected unix:///path/to.sock, an absolute path after three slashes; "username", "password" and "database" are options there',
    )
  }
  return { path: decode(rest, place, "path") }
}

function parseServerUri(rest: string, place: string): UriParts {
  const end = rest.search(/[/?#]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  const tail = end === -1 ? "" : rest.slice(end)
  // In redis://user:12/3@host the password would be taken for port 12, and the host for part of the path.
  if (tail.includes("@")) throw misread(place, `"/", "?" or "#" stands before an "@": ${ENCODE_HINT}`)
  refuseQuery(tail, place)
  const parts: UriParts = {}
  // A host cannot contain "@", so that the last one ends the password even where an earlier one was not encoded.
  const at = authority.lastIndexOf("@")
  if (at !== -1) addCredentials(parts, authority.slice(0, at), place)
  addAddress(parts, authority.slice(at + 1), place)
  if (tail !== "" && tail !== "/") parts.database = parseDatabase(tail, place)
  return parts
}

/** `user`, `:password` or `user:password`; only the first colon splits. */
function addCredentials(parts: UriParts, text: string, place: string): void {
  const colon = text.indexOf(":")
  const username = decode(colon === -1 ? text : text.slice(0, colon), place, "user name")
  const password = colon === -1 ? undefined : decode(text.slice(colon + 1), place, "password")
  if (username !== "") parts.username = username
  if (password === undefined || (password === "" && username === "")) return
  parts.password = password
}

function addAddress(parts: UriParts, text: string, place: string): void {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? []
  if (host !== "") parts.host = parseHost(host, place)
  if (port !== undefined) parts.port = parsePort(port, place)
}

function parseHost(text: string, place: string): string {
  const isBracketed = text.startsWith("[")
  const host = decode(isBracketed ? text.slice(1, -1) : text, place, "host")
  if (isBracketed ? isIPv6(host) : !/[\s\p{Cc}#%/:<>?@[\\\]^|]/u.test(host)) return host
  throw misread(
    place,
    isBracketed
      ? "expected an IPv6 address between the brackets"
      : `the host has a character that no host has: ${ENCODE_HINT}`,
  )
}

function parsePort(text: string, place: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw misread(
    place,
    `expected a port between 1 and 65535 after the host and a colon (an IPv6 address stands in brackets; ${ENCODE_HINT})`,
  )
}

/** As in Redix, what follows the number behind another slash is ignored. */
function parseDatabase(path: string, place: string): number {
  const digits = /^\/(\d+)(?:\/.*)?$/s.exec(path)?.[1]
  const database = Number(digits)
  if (Number.isSafeInteger(database)) return database
  throw misread(
    place,
    'expected the path to be the number of a database, like "/2" (a Unix domain socket is unix:///path/to.sock)',
  )
}

function refuseQuery(text: string, place: string): void {
  const start = text.search(/[?#]/)
  if (start === -1) return
  if (text[start] === "#") {
    throw misread(
      place,
      'a fragment means nothing here: for a database use the path, like "/2", or the option "database" (a "#" of a password is written %23)',
    )
  }
  const instead = optionsOf(text.slice(start + 1))
  throw misread(place, `a query string is not read: use ${instead} (a "?" of a password is written %3F)`)
}

function optionsOf(query: string): string {
  const options = new Set<string>()
  for (const pair of query.split("&")) {
    const option = QUERY_OPTIONS.get((pair.split("=", 1)[0] ?? "").toLowerCase())
    if (option !== undefined) options.add(`"${option}"`)
  }
  if (options.size === 0) return 'the options object instead, with "database", "tls", "timeout" and so on'
  return `the option ${[...options].join(" and ")} instead`
}

function decode(text: string, place: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw misread(
      place,
      `the ${what} is not valid percent-encoding: a "%" that stands for itself is written %25`,
    )
  }
}

function misread(place: string, problem: string): TypeError {
  return new TypeError(`${place}: ${problem}`)
}
