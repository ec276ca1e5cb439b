/**
 * A {@link Source} that leads to any node of a cluster: at each attempt they are tried one after the other, the one that was
 * connected to last at the end. Leaves to others which nodes there are.
 */

import { Attempt } from "../connection/attempt.ts"
import type {
  AttemptOwner,
  ConnectionAttempt,
  ConnectionOptions,
  Link,
  Role,
  Source,
  Watch,
} from "../connection/options.ts"
import { ConnectionError } from "../errors.ts"
import { formatEndpoint } from "../transport/transport.ts"

/** Where a node is. */
export interface NodePlace {
  readonly host: string
  readonly port: number
}

/** Who knows the nodes. */
export interface NodeDirectory {
  /** Calls back once, at once or later, with the nodes or with why they are not known; unless the result is called. */
  findNodes(
    onFound: (nodes: readonly NodePlace[]) => void,
    onNone: (error: ConnectionError) => void,
  ): () => void
  /** None of them could be connected to. */
  onUnreachable(): void
}

const NO_WATCH: Watch = { ask() {}, stop() {} }

export class AnyNode implements Source {
  /** Of no meaning: it does not matter what the node is. */
  readonly role: Role = "primary"
  readonly #directory: NodeDirectory
  /** The address that was connected to last. */
  #last: string | undefined

  constructor(directory: NodeDirectory) {
    this.#directory = directory
  }

  attempt(options: ConnectionOptions, database: number | undefined, owner: AttemptOwner): ConnectionAttempt {
    return new AnyNodeAttempt({ source: this, directory: this.#directory, options, database, owner })
  }

  watch(): Watch {
    return NO_WATCH
  }

  isStale(): boolean {
    return false
  }

  /** In the order in which they are to be tried. */
  ordered(nodes: readonly NodePlace[]): NodePlace[] {
    const isLast = (node: NodePlace): boolean => formatEndpoint(node) === this.#last
    return [...nodes.filter((node) => !isLast(node)), ...nodes.filter(isLast)]
  }

  onConnected(address: string): void {
    this.#last = address
  }
}

interface AttemptParts {
  readonly source: AnyNode
  readonly directory: NodeDirectory
  readonly options: ConnectionOptions
  readonly database: number | undefined
  readonly owner: AttemptOwner
}

class AnyNodeAttempt implements ConnectionAttempt, AttemptOwner {
  readonly #parts: AttemptParts
  #nodes: NodePlace[] = []
  #stopFinding: () => void = () => {}
  #inner: Attempt | undefined
  readonly #errors: ConnectionError[] = []
  #keepsAlive = true

  constructor(parts: AttemptParts) {
    this.#parts = parts
  }

  start(): void {
    const { directory, source, owner } = this.#parts
    this.#stopFinding = directory.findNodes(
      (nodes) => {
        this.#nodes = source.ordered(nodes)
        this.#tryNext()
      },
      (error) => owner.onAttemptFailed(this, error),
    )
  }

  cancel(): void {
    this.#stopFinding()
    this.#inner?.cancel()
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#inner?.keepAlive(keepsAlive)
  }

  #tryNext(): void {
    const node = this.#nodes.shift()
    if (node === undefined) {
      this.#fail()
      return
    }
    const { options, database } = this.#parts
    const here = { ...options, source: undefined, resolve: () => node, label: formatEndpoint(node) }
    this.#inner = new Attempt(here, database, this)
    this.#inner.keepAlive(this.#keepsAlive)
    this.#inner.start()
  }

  onAttemptUp(_attempt: ConnectionAttempt, link: Link): void {
    this.#parts.source.onConnected(link.address)
    this.#parts.owner.onAttemptUp(this, link)
  }

  onAttemptFailed(_attempt: ConnectionAttempt, error: ConnectionError): void {
    this.#errors.push(error)
    this.#tryNext()
  }

  onSentinelFailed(): void {}

  onDiscarded(closed: Promise<void>): void {
    this.#parts.owner.onDiscarded(closed)
  }

  #fail(): void {
    const { directory, owner, options } = this.#parts
    const said = this.#errors.map(({ message }) => message).join("; ")
    const details = { address: options.label, cause: this.#errors[0] }
    directory.onUnreachable()
    owner.onAttemptFailed(
      this,
      new ConnectionError(
        "no-reachable-node",
        `no node of the cluster could be connected to (${said})`,
        details,
      ),
    )
  }
}
