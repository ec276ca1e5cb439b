/**
 * The options of a Sentinel setup: their types, their tables, and what of them belongs together. Leaves to everybody else
 * what an option does.
 */

import {
  type Credentials,
  credentialRows,
  credentials,
  type LinkSettings,
  linkRows,
  type Password,
  type SocketOptions,
  type TlsOptions,
} from "./link-options.ts"
import { isPort, isText, milliseconds, port, text } from "./option-kinds.ts"
import {
  at,
  type GivenOptions,
  givenOptions,
  inside,
  label,
  misuse,
  numberRow,
  type OptionFacts,
  type OptionRows,
  type OptionSet,
  optionSet,
  type Place,
  readOptions,
  row,
} from "./options-table.ts"
import { parseUri } from "./uri.ts"
import { describe, isPlainObject } from "./util/describe.ts"

/** How to find a server through Redis Sentinel. */
export interface SentinelOptions {
  /**
   * The sentinels, tried in this order: URIs, or objects with `host` and `port`. At least one; none is assumed.
   * The schemes `rediss://` and `valkeys://` turn TLS on for all of them, and then every URI has to have it.
   */
  sentinels: readonly (string | SentinelAddress)[]
  /** Name of the group of servers, as the sentinels know it. Has no default. */
  group: string
  /** Which server of the group: the primary, or a replica picked at random. Default: `"primary"`. */
  role?: "primary" | "replica" | undefined
  /** Milliseconds for connecting to a sentinel, and for each of its answers; `Infinity` for no limit. Default: `500`. */
  timeout?: number | undefined
  /** User name for the sentinels that have none of their own. Default: none. */
  username?: string | undefined
  /** Password, or a function that is called for it, for the sentinels that have none of their own. Default: none. */
  password?: Password | undefined
  /** `true`, or options of `tls.connect`, for TLS to the sentinels. Default: `false`, or `true` by their URIs. */
  tls?: boolean | TlsOptions | undefined
  /** More options of `net.connect` for the sentinels. Default: as for the option `socket` of the connection. */
  socket?: SocketOptions | undefined
}

/** One sentinel. */
export interface SentinelAddress {
  /** Host name or IP address. Has no default. */
  host: string
  /** Port, 1 to 65535. Has no default. */
  port: number
  /** User name for `AUTH`. Default: that of {@link SentinelOptions}. */
  username?: string | undefined
  /** Password for `AUTH`, or a function that is called for it. Default: that of {@link SentinelOptions}. */
  password?: Password | undefined
}

/**
 * {@link SentinelOptions}, checked, copied and with their defaults. The credentials are those for sentinels that are not
 * listed.
 */
export interface ResolvedSentinel extends Credentials, LinkSettings {
  /** At least one, each with the credentials to use for it. */
  readonly sentinels: readonly ResolvedSentinelAddress[]
  readonly group: string
  readonly role: "primary" | "replica"
  readonly timeout: number
}

/** {@link SentinelAddress}, or a URI for one, with the credentials to use. */
export interface ResolvedSentinelAddress extends Credentials {
  readonly host: string
  readonly port: number
}

const SENTINELS_EXPECTED = "an array of at least one sentinel, each a URI or an object with host and port"

const role: Pick<OptionFacts<"primary" | "replica">, "type" | "expected"> = {
  type: '"primary" | "replica"',
  expected: '"primary" or "replica"',
}

const sentinelRows: OptionRows<ResolvedSentinel> = {
  sentinels: {
    type: "(string | SentinelAddress)[]",
    expected: SENTINELS_EXPECTED,
    doc: "the sentinels, tried in this order: URIs with a host and a port, or objects as below; has to be given",
    read: readAddresses,
  },
  group: row(isText, {
    ...text,
    doc: "name of the group of servers, as the sentinels know it; has to be given",
    aliases: ["master", "masterName"],
  }),
  role: row(isRole, {
    ...role,
    default: "primary",
    doc: "which server of the group: the primary, or a replica picked at random",
  }),
  timeout: milliseconds(500, "time for connecting to a sentinel, and for each of its answers", [
    "connectTimeout",
  ]),
  ...credentialRows(" on the sentinels that have none of their own"),
  ...linkRows("the sentinels"),
}

const addressRows: OptionRows<ResolvedSentinelAddress> = {
  host: row(isText, { ...text, doc: "host name or IP address; has to be given", aliases: ["hostname"] }),
  port: numberRow(isPort, { ...port, doc: "port; has to be given" }),
  ...credentialRows(" on this sentinel"),
}

export const sentinelOptions: OptionSet<ResolvedSentinel> = optionSet("Redix", sentinelRows)

export const sentinelAddress: OptionSet<ResolvedSentinelAddress> = optionSet("Redix", addressRows)

export function readSentinel(value: unknown, place: Place): ResolvedSentinel {
  const given = givenOptions(sentinelOptions, value, place)
  const { optional, filled } = readOptions(sentinelOptions, [given], place)
  const fallback = credentials(optional("username"), optional("password"))
  return {
    sentinels: filled("sentinels").map((address) => withFallback(address, fallback)),
    group: filled("group"),
    role: filled("role"),
    timeout: filled("timeout"),
    ...fallback,
    tls: sentinelTls(given, filled("tls"), inside(place, "tls")),
    socket: filled("socket"),
  }
}

/** Each of the two is filled in by itself, as in Redix. */
function withFallback(address: ResolvedSentinelAddress, fallback: Credentials): ResolvedSentinelAddress {
  const { username = fallback.username, password = fallback.password } = address
  return { ...address, ...credentials(username, password) }
}

/** Of addresses that were read without an error either all URIs have TLS or none. */
function sentinelTls(given: GivenOptions, tls: false | TlsOptions, place: Place): false | TlsOptions {
  const sentinels = given.get("sentinels")
  const hasTls = Array.isArray(sentinels) && sentinels.some(isTlsUri)
  if (!hasTls || tls !== false) return tls
  if (given.has("tls"))
    throw misuse(place, "false contradicts the scheme of the sentinels' URIs, which asks for TLS")
  return {}
}

function isTlsUri(value: unknown): boolean {
  return typeof value === "string" && parseUri(value).tls === true
}

function readAddresses(value: unknown, place: Place): readonly ResolvedSentinelAddress[] {
  if (!Array.isArray(value) || value.length === 0) {
    const got = Array.isArray(value) ? "an empty array" : describe(value)
    throw misuse(place, `expected ${SENTINELS_EXPECTED}, got ${got}`)
  }
  const items: readonly unknown[] = Array.from(value)
  const addresses = items.map((item, index) => readAddress(item, at(place, index)))
  const uris = items.filter((item) => typeof item === "string")
  const withTls = uris.filter(isTlsUri)
  if (withTls.length === 0 || withTls.length === uris.length) return addresses
  throw misuse(place, "some of the URIs ask for TLS and some do not")
}

function readAddress(value: unknown, place: Place): ResolvedSentinelAddress {
  if (typeof value !== "string" && !isPlainObject(value)) {
    throw misuse(place, `expected a URI or an object with host and port, got ${describe(value)}`)
  }
  const given =
    typeof value === "string" ? uriOfSentinel(value, place) : givenOptions(sentinelAddress, value, place)
  for (const name of ["host", "port"]) {
    if (!given.has(name)) throw misuse(place, `a ${name} has to be given for each sentinel`)
  }
  const { optional, filled } = readOptions(sentinelAddress, [given], place)
  return {
    host: filled("host"),
    port: filled("port"),
    username: optional("username"),
    password: optional("password"),
  }
}

function uriOfSentinel(uri: string, place: Place): GivenOptions {
  const { path, database, tls: _, ...address } = parseUri(uri, label(place))
  if (path !== undefined) throw misuse(place, "a sentinel is reached by host and port, not by a unix:// URI")
  if (database !== undefined) {
    throw misuse(place, 'a sentinel has no databases; "database" belongs beside "sentinel"')
  }
  return new Map<string, unknown>(Object.entries(address))
}

function isRole(value: unknown): value is "primary" | "replica" {
  return value === "primary" || value === "replica"
}
