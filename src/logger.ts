/** Writes what happens to connections to a log. Listens to the channels as anybody may; knows nothing else of the driver. */

import { type ConnectionEvent, channels, type DisconnectionEvent } from "./telemetry.ts"

/** What is logged to: `console` is one, and so are the loggers of most libraries. */
export interface Logger {
  error(message: string): void
  warn(message: string): void
  info(message: string): void
}

// One for the process, also where both builds of the package are loaded: what is attached twice would log twice.
const ATTACHED = Symbol.for("@redix/client@0/loggers")

function attached(): Map<Logger, () => void> {
  const known: unknown = Reflect.get(globalThis, ATTACHED)
  if (known instanceof Map) return known
  const made = new Map<Logger, () => void>()
  Object.defineProperty(globalThis, ATTACHED, { value: made })
  return made
}

/**
 * Logs disconnections and failed attempts to connect as errors, reconnections as information, and of clusters failed
 * refreshes as errors, failed connections to nodes as warnings and redirections as information. A first connection is not
 * logged, and neither is any command.
 *
 * Returns what ends it. A logger that is attached already is not attached again: what is returned then ends the same.
 *
 * @example
 * const detach = attachDefaultLogger()
 */
export function attachDefaultLogger(logger: Logger = console): () => void {
  const known = attached().get(logger)
  if (known !== undefined) return known
  const detach = attach(logger)
  attached().set(logger, detach)
  return detach
}

function attach(logger: Logger): () => void {
  // What a cluster has told of itself, it tells of a connection as well.
  const logged = new WeakSet<Error>()
  const ends = [
    listen(channels.connection, (event) => {
      if (event.reconnection) logger.info(`${subject(event)} reconnected to Redis at ${event.address}`)
    }),
    listen(channels.disconnection, (event) => {
      logger.error(`${subject(event)} disconnected from Redis at ${event.address}: ${event.error.message}`)
    }),
    listen(channels.failedConnection, (event) => {
      const { address, sentinelAddress, error } = event
      if (logged.has(error)) return
      const where =
        sentinelAddress === undefined ? `Redis at ${address}` : `the sentinel at ${sentinelAddress}`
      logger.error(`${subject(event)} failed to connect to ${where}: ${error.message}`)
    }),
    listen(channels.failedTopologyRefresh, ({ name, error }) => {
      logged.add(error)
      logger.error(`${cluster(name)} failed to find out who has which slots: ${error.message}`)
    }),
    listen(channels.nodeConnectionFailed, ({ name, address, error }) => {
      logged.add(error)
      logger.warn(`${cluster(name)} failed to connect to its node at ${address}: ${error.message}`)
    }),
    listen(channels.redirection, ({ name, type, slot, targetAddress }) => {
      logger.info(`${cluster(name)} was redirected (${type.toUpperCase()}) to ${targetAddress}, slot ${slot}`)
    }),
  ]
  const detach = (): void => {
    if (attached().get(logger) === detach) attached().delete(logger)
    for (const end of ends) end()
  }
  return detach
}

interface Subscribable<Event> {
  subscribe(listener: (event: Event) => void): void
  unsubscribe(listener: (event: Event) => void): void
}

function listen<Event>(channel: Subscribable<Event>, listener: (event: Event) => void): () => void {
  channel.subscribe(listener)
  return () => channel.unsubscribe(listener)
}

/** `Connection "cache"`, or `Connection (Pool)` without a name. */
function subject({ name, connection }: ConnectionEvent | DisconnectionEvent): string {
  return `Connection ${name === undefined ? `(${connection.constructor.name})` : `"${name}"`}`
}

function cluster(name: string | undefined): string {
  return name === undefined ? "Cluster" : `Cluster "${name}"`
}
