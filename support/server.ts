/**
 * A real server for tests, examples and benchmarks: its start, its death and return, its end. Knows the process
 * and its folder; where the program comes from is left to `server-binary.ts`, and what becomes of it when this
 * process dies to `cleanup.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Certificates } from "./certificates.ts"
import { killAtExit, temporaryFolder } from "./cleanup.ts"
import { freePort, loopback } from "./port.ts"
import { findServer, type ServerBinary } from "./server-binary.ts"
import { type Credentials, request } from "./side-channel.ts"

export { freePort } from "./port.ts"

export interface ServerOptions {
  /** Further arguments, such as `["--maxmemory", "10mb"]`. They win over those of this class. */
  args?: readonly string[]
  /** Default: a free one. */
  port?: number
  /** Listens on a unix socket too, see {@link RedisServer.path}. */
  unixSocket?: boolean
  /** Speaks TLS instead of plain TCP; with `clientAuth` only to clients that show a certificate. */
  tls?: { certificates: Certificates; clientAuth?: boolean }
  /** Keeps every acknowledged write over {@link RedisServer.restart}, even after SIGKILL. */
  appendOnly?: boolean
  /** Runs as a sentinel with these lines as its configuration; port and folder are added. */
  sentinelConfig?: string
  /** How {@link RedisServer.send} logs in. The server itself has to be told by `args` what it asks for. */
  auth?: Credentials
}

/** For busy machines; a start takes about 50 ms. */
const startTimeoutMs = 20_000
const pollIntervalMs = 5

export class RedisServer {
  /** How {@link send} logs in. Change it along with the password of the server. */
  auth: Credentials | undefined
  readonly host = loopback
  /** The plain port, or with TLS the TLS port. */
  readonly port: number
  /** The working folder: append-only file, log and all. It lives until {@link stop}. */
  readonly dir: string
  /** The unix socket, if one was asked for. */
  readonly path: string | undefined
  readonly #binary: ServerBinary
  readonly #options: ServerOptions
  #process: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()

  /** A server that answers, in an empty folder of its own, without persistence unless asked for. */
  static async start(options: ServerOptions = {}): Promise<RedisServer> {
    const binary = await findServer()
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(binary, options, options.port ?? (await freePort()))
      try {
        if (options.sentinelConfig !== undefined) await server.#writeSentinelConfig(options.sentinelConfig)
        await server.#launch()
        return server
      } catch (error) {
        await server.stop()
        const portWasLost = error instanceof Error && /address already in use/i.test(error.message)
        if (!portWasLost || options.port !== undefined || attempt === 5) throw error
      }
    }
  }

  private constructor(binary: ServerBinary, options: ServerOptions, port: number) {
    this.#binary = binary
    this.#options = options
    this.port = port
    this.auth = options.auth
    this.dir = temporaryFolder("server")
    this.path = options.unixSocket ? join(this.dir, "redis.sock") : undefined
  }

  get url(): string {
    return `${this.#options.tls ? "rediss" : "redis"}://${this.host}:${this.port}`
  }

  /** The version of the program, such as `7.0.15`. */
  get version(): string {
    return this.#binary.version
  }

  /** The process number; after {@link kill} that of the process that was. */
  get pid(): number {
    return this.#process?.pid as number
  }

  /** Whether the process lives. A paused one does. */
  get running(): boolean {
    return (
      this.#process?.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    )
  }

  /** Ends the process and waits for its end. Port and folder stay reserved for {@link restart}. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!this.running) return
    // Keeps this process alive for the wait, which nothing else might.
    this.#process?.ref()
    this.#process?.kill(signal)
    // A paused process obeys SIGKILL only.
    this.#process?.kill("SIGCONT")
    await this.#exited
  }

  /** Starts the process again, after killing it if it lives: same port, folder and arguments. */
  async restart(): Promise<void> {
    await this.kill()
    await this.#launch()
  }

  /** Freezes the process: the system still accepts connections and bytes for it, but nothing answers. */
  pause(): void {
    this.#process?.kill("SIGSTOP")
  }

  resume(): void {
    this.#process?.kill("SIGCONT")
  }

  /** Kills the process and removes its folder. May be called again. */
  async stop(): Promise<void> {
    await this.kill()
    await rm(this.dir, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** The reply to one command on a connection of its own, beside the driver. An error reply rejects. */
  async send(...command: string[]): Promise<unknown> {
    return request({ ...this.#target, auth: this.auth }, command)
  }

  /** The end of the server's log. */
  async log(lines = 20): Promise<string> {
    const text = await readFile(this.#logFile, "utf8").catch(() => "")
    return text.trimEnd().split("\n").slice(-lines).join("\n")
  }

  get #target() {
    return { host: this.host, port: this.port, certificates: this.#options.tls?.certificates }
  }

  get #logFile(): string {
    return join(this.dir, "server.log")
  }

  get #configFile(): string {
    return join(this.dir, "sentinel.conf")
  }

  /** Once only: a sentinel keeps what it learns in this file, so a restart must find it as it was left. */
  async #writeSentinelConfig(lines: string): Promise<void> {
    const own = [`port ${this.port}`, `bind ${this.host}`, `dir ${this.dir}`]
    await writeFile(this.#configFile, `${[...own, lines].join("\n")}\n`)
  }

  async #launch(): Promise<void> {
    // A file and not a pipe: nobody has to read it, it keeps no process alive, and it outlives the server.
    const log = openSync(this.#logFile, "a")
    const child = spawn(this.#binary.command, this.#arguments(), {
      argv0: this.#binary.argv0,
      cwd: this.dir,
      env: { ...process.env, ...this.#binary.env },
      stdio: ["ignore", log, log],
      // Ctrl-C is for the program, which may want to part from its server in peace.
      detached: true,
    })
    closeSync(log)
    this.#process = child
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve()).once("error", () => resolve())
    })
    killAtExit(child)
    await this.#ready()
    child.unref()
  }

  #arguments(): string[] {
    const { args = [], tls, appendOnly, sentinelConfig } = this.#options
    if (sentinelConfig !== undefined) return [this.#configFile, "--sentinel", ...args]
    const list = ["--bind", this.host, "--port", tls ? "0" : `${this.port}`, "--save", ""]
    if (this.path) list.push("--unixsocket", this.path)
    if (tls) {
      const { caFile, serverCertFile, serverKeyFile } = tls.certificates
      list.push("--tls-port", `${this.port}`, "--tls-ca-cert-file", caFile)
      list.push("--tls-cert-file", serverCertFile, "--tls-key-file", serverKeyFile)
      list.push("--tls-auth-clients", tls.clientAuth ? "yes" : "no")
    }
    if (appendOnly) list.push("--appendonly", "yes", "--appendfsync", "always")
    // Since version 7 DEBUG is refused by default, and the option unknown before.
    if (Number.parseInt(this.#binary.version, 10) >= 7) list.push("--enable-debug-command", "local")
    return [...list, ...args]
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs
    while (this.running) {
      if (await this.#answers()) return
      if (performance.now() > deadline) {
        await this.kill()
        throw new Error(`the server did not get ready within ${startTimeoutMs} ms:\n${await this.log()}`)
      }
      await sleep(pollIntervalMs)
    }
    throw new Error(`the server ended before it was ready:\n${await this.log()}`)
  }

  /** Whether this very process serves its port, and has loaded its data. */
  async #answers(): Promise<boolean> {
    try {
      const info = String(await this.send("INFO"))
      // A foreign number: somebody else got the port first. Ours is about to notice and to end.
      return info.includes(`process_id:${this.pid}\r\n`) && !info.includes("\r\nloading:1\r\n")
    } catch (error) {
      // Told to log in: whoever says so listens, and more is not to be learned.
      return error instanceof Error && /^(NOAUTH|NOPERM|WRONGPASS)/.test(error.message)
    }
  }
}
