/**
 * The options that say how a server is connected to, and as whom: servers and sentinels have them alike. Leaves to others
 * which server that is.
 */

import type { TcpSocketConnectOpts } from "node:net"
import type { ConnectionOptions } from "node:tls"
import { inside, misuse, type OptionRows, type Place, row } from "./options-table.ts"
import { describe, isPlainObject } from "./util/describe.ts"

/** A password, or a function that is called for it on every (re)connection. */
export type Password = string | (() => string | Promise<string>)

/** Options of `net.connect`, except for those that say where to connect to. */
export type SocketOptions = Omit<Partial<TcpSocketConnectOpts>, "host" | "port" | "path" | "onread">

/** Options of `tls.connect`, except for those that say where to connect to. */
export type TlsOptions = Omit<ConnectionOptions, "host" | "port" | "path" | "socket">

/** Who somebody is to a server. */
export interface Credentials {
  /** Never empty. */
  readonly username: string | undefined
  /** Only with a `username` it may be empty. */
  readonly password: Password | undefined
}

/** How a server is connected to. */
export interface LinkSettings {
  /** `true` has become `{}`. */
  readonly tls: false | TlsOptions
  readonly socket: SocketOptions
}

const TLS_EXPECTED = "true, false or an object with options of tls.connect"
const SOCKET_EXPECTED = "an object with options of net.connect"

const SOCKET_DEFAULTS: SocketOptions = { keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true }

/** @param whom where, for the doc lines */
export function credentialRows(whom: string): OptionRows<Credentials> {
  return {
    username: row(isString, {
      type: "string",
      expected: "a string",
      doc: `user name for \`AUTH\`${whom}; without a password no \`AUTH\` is sent; \`""\` means none`,
      aliases: ["user"],
    }),
    password: row(isPassword, {
      type: "string | (() => string | Promise<string>)",
      expected: "a string, or a function that returns one",
      doc: `password for \`AUTH\`${whom}, or a function, sync or async, that is called for it on every (re)connection; \`""\` without a user name means none`,
      aliases: ["auth", "pass"],
    }),
  }
}

/** @param whom to whom, for the doc lines */
export function linkRows(whom: string): OptionRows<LinkSettings> {
  return {
    tls: {
      type: "boolean | tls.ConnectionOptions",
      expected: TLS_EXPECTED,
      default: false,
      doc: `TLS to ${whom}: \`true\`, or options of \`tls.connect\`; certificates and host names are verified unless these say otherwise; a URI with TLS turns it on`,
      aliases: ["ssl"],
      read: readTls,
    },
    socket: {
      type: "net.TcpSocketConnectOpts",
      expected: SOCKET_EXPECTED,
      default: SOCKET_DEFAULTS,
      doc: `more options of \`net.connect\` to ${whom} (\`family\`, \`lookup\`, …); what is given is added to the default`,
      aliases: ["socketOptions", "socketOpts"],
      read: readSocket,
    },
  }
}

/** An empty user name is none, and so is an empty password without a user name. */
export function credentials(username: string | undefined, password: Password | undefined): Credentials {
  if (username !== undefined && username !== "") return { username, password }
  return { username: undefined, password: password === "" ? undefined : password }
}

function readTls(value: unknown, place: Place): false | TlsOptions {
  if (typeof value === "boolean") return value ? {} : false
  if (!isPlainObject(value)) {
    throw misuse(place, `expected ${TLS_EXPECTED}, got ${describe(value)}`)
  }
  const { host, port, path, socket, ...options } = value
  refuseMoved(place, { host, port, path, socket })
  return withoutUndefined(options)
}

function readSocket(value: unknown, place: Place): SocketOptions {
  if (!isPlainObject(value)) {
    throw misuse(place, `expected ${SOCKET_EXPECTED}, got ${describe(value)}`)
  }
  const { host, port, path, onread, ...options } = value
  refuseMoved(place, { host, port, path, onread })
  return { ...SOCKET_DEFAULTS, ...withoutUndefined(options) }
}

function refuseMoved(place: Place, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    throw misuse(
      inside(place, name),
      name === "onread" || name === "socket"
        ? "not allowed, the driver makes and reads its sockets by itself"
        : `not allowed here, it belongs ${place.path.includes(".") ? 'into "sentinels"' : `beside "${place.path}"`}`,
    )
  }
}

function withoutUndefined<T extends object>(options: T): T {
  const copy = { ...options }
  for (const [name, value] of Object.entries(copy)) {
    if (value === undefined) Reflect.deleteProperty(copy, name)
  }
  return copy
}

function isString(value: unknown): value is string {
  return typeof value === "string"
}

function isPassword(value: unknown): value is Password {
  return typeof value === "string" || typeof value === "function"
}
