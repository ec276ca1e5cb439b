/**
 * What is said to a server before it is "connected", and what its answers mean. Gives commands out and takes replies in;
 * leaves sending and reading to others.
 */

import { ConnectionError, type ConnectionErrorReason, RedisError, withoutStack } from "../errors.ts"
import { Encoder } from "../protocol/encode.ts"
import { VERSION } from "../version.ts"
import type { ConnectionSettings, Role } from "./options.ts"

/** What to say beside the credentials and the database. */
export interface HandshakeSettings
  extends Pick<ConnectionSettings, "protocol" | "clientName" | "clientInfo" | "readonly"> {
  /** Whether to ask for the connection's id. */
  readonly fetchClientId?: boolean | undefined
  /** What the server has to be. */
  readonly role?: Role | undefined
}

export interface Credentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** One command, and which error replies to it are as good as an answer. */
interface Step {
  readonly command: readonly string[]
  /** What the command is for, in error messages. */
  readonly purpose: string
  readonly isHarmless?: (error: RedisError) => boolean
  readonly isAuthentication?: boolean
}

const PING: Step = {
  command: ["PING"],
  purpose: "PING",
  // The server is there and talks to us; callers will see for themselves what it cannot do yet.
  isHarmless: ({ code }) => code === "LOADING" || code === "MASTERDOWN" || code === "NOPERM",
}

/** Source: https://redis.io/docs/latest/develop/reference/sentinel-clients/ */
const ROLE: Step = { command: ["ROLE"], purpose: "ROLE" }

/** What a server is by its reply to `ROLE`; `undefined` if that does not say. */
function roleIn(reply: unknown): Role | undefined {
  const word: unknown = Array.isArray(reply) ? reply[0] : undefined
  if (word === "master") return "primary"
  return word === "slave" ? "replica" : undefined
}

const CLIENT_ID: Step = { command: ["CLIENT", "ID"], purpose: "CLIENT ID" }

/** Servers before 7.2 do not know SETINFO, and a user may lack the right to it; neither is a reason not to connect. */
const SETINFO_UNKNOWN = /unknown subcommand|wrong number of arguments/i

function infoStep(attribute: string, value: string): Step {
  return {
    command: ["CLIENT", "SETINFO", attribute, value],
    purpose: "CLIENT SETINFO",
    isHarmless: (error) => error.code === "NOPERM" || SETINFO_UNKNOWN.test(error.message),
  }
}

function authentication({ username, password }: Credentials): string[] {
  if (password === undefined) return []
  return username === undefined ? [password] : [username, password]
}

/** The steps of the first write: one round trip for all of them. */
function firstSteps(
  settings: HandshakeSettings,
  database: number | undefined,
  credentials: Credentials,
): Step[] {
  const steps: Step[] = []
  const auth = authentication(credentials)
  if (settings.protocol === 3) steps.push(helloStep(auth))
  else if (auth.length > 0)
    steps.push({ command: ["AUTH", ...auth], purpose: "AUTH", isAuthentication: true })
  if (database !== undefined) {
    steps.push({ command: ["SELECT", String(database)], purpose: `SELECT ${database}` })
  }
  if (settings.clientName !== undefined) {
    steps.push({ command: ["CLIENT", "SETNAME", settings.clientName], purpose: "CLIENT SETNAME" })
  }
  if (settings.readonly) steps.push({ command: ["READONLY"], purpose: "READONLY" })
  if (settings.clientInfo) steps.push(infoStep("LIB-NAME", "redix-ts"), infoStep("LIB-VER", VERSION))
  if (settings.fetchClientId === true) steps.push(CLIENT_ID)
  if (settings.role !== undefined) steps.push(ROLE)
  return steps.length === 0 ? [PING] : steps
}

function helloStep(auth: readonly string[]): Step {
  // AUTH within HELLO always takes a user name; "default" is the one that a password alone is for.
  const credentials = auth.length === 1 ? ["default", ...auth] : auth
  const command = credentials.length === 0 ? ["HELLO", "3"] : ["HELLO", "3", "AUTH", ...credentials]
  return { command, purpose: "HELLO 3", isAuthentication: credentials.length > 0 }
}

export class Handshake {
  readonly #address: string
  readonly #role: Role | undefined
  readonly #credentials: Credentials
  #steps: Step[]
  #position = 0
  /** Whether a command was carried out, which a server that wants a password first would not have done. */
  #isProven = false

  /** @param database what to select; `undefined` for nothing */
  constructor(
    settings: HandshakeSettings,
    database: number | undefined,
    credentials: Credentials,
    address: string,
  ) {
    this.#steps = firstSteps(settings, database, credentials)
    this.#role = settings.role
    this.#credentials = credentials
    this.#address = address
  }

  /** The commands of the steps at hand, as bytes. */
  bytes(): Uint8Array {
    const encoder = new Encoder()
    for (const step of this.#steps) encoder.command(step.command)
    const bytes = Buffer.concat(encoder.take())
    encoder.recycle()
    return bytes
  }

  /** The server's number for the connection, once it has told it. */
  clientId: number | undefined

  /** Whether all was answered. */
  get isDone(): boolean {
    return this.#position === this.#steps.length
  }

  /**
   * Takes the next reply; tells whether there is more to write, or else whether to wait.
   * @throws ConnectionError when the answer ends the attempt
   */
  accept(reply: unknown, isError: boolean): "write" | "wait" {
    const step = this.#steps[this.#position++]
    if (step === undefined) throw this.unsolicited()
    if (!isError) this.#isProven = true
    else if (reply instanceof RedisError) this.#judge(step, reply)
    if (step === CLIENT_ID && typeof reply === "number") this.clientId = reply
    if (step === ROLE && !isError) this.#checkRole(reply)
    if (!this.isDone || this.#isProven || step === PING) return "wait"
    // Nothing but refused SETINFOs: before 7.2 that is also what a server says which wants a password first.
    this.#steps = [PING]
    this.#position = 0
    return "write"
  }

  unsolicited(): ConnectionError {
    return this.#error("protocol-error", "the server sent a reply that nobody asked for", undefined)
  }

  #checkRole(reply: unknown): void {
    const role = roleIn(reply)
    if (role === this.#role) return
    throw this.#error("wrong-role", `the server is a ${role ?? "sentinel"}, not a ${this.#role}`, undefined)
  }

  #judge(step: Step, reply: RedisError): void {
    if (step.isHarmless?.(reply) === true) return
    const error = this.#withoutSecrets(reply)
    if (isUnknownHello(step, error)) {
      throw this.#error("handshake", "the server does not speak RESP3: use protocol: 2", error)
    }
    throw this.#error(
      reasonOf(step, error),
      `the server answered ${step.purpose} with: ${error.message}`,
      error,
    )
  }

  /** A server that does not know a command, such as a renamed AUTH, repeats its arguments. */
  #withoutSecrets(error: RedisError): RedisError {
    const { password = "" } = this.#credentials
    const [before = ""] = error.message.split(/,? with args beginning with/i)
    const message = password === "" ? before : before.replaceAll(password, "[redacted]")
    return message === error.message ? error : withoutStack(() => new RedisError(message))
  }

  #error(reason: ConnectionErrorReason, message: string, cause: RedisError | undefined): ConnectionError {
    return new ConnectionError(reason, `${message} (${this.#address})`, { address: this.#address, cause })
  }
}

function isUnknownHello(step: Step, error: RedisError): boolean {
  return step.command[0] === "HELLO" && (error.code === "NOPROTO" || /unknown command/i.test(error.message))
}

function reasonOf(step: Step, error: RedisError): ConnectionErrorReason {
  if (error.code === "NOAUTH" || error.code === "WRONGPASS") return "authentication"
  if (step.isAuthentication !== true) return "handshake"
  const isRefusal = error.code === "NOPERM" || (error.code === "ERR" && /auth|password/i.test(error.message))
  return isRefusal ? "authentication" : "handshake"
}
