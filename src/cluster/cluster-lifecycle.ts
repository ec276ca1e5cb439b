/**
 * What users can see of a cluster's life beyond that of its connections: the cluster's own channels of telemetry. Learns it
 * from the backend; leaves to that what happens.
 */

import type { ConnectionListener } from "../connection/connection.ts"
import type { ConnectionError } from "../errors.ts"
import { Lifecycle } from "../lifecycle.ts"
import { type OwnChannel, ownChannels } from "../telemetry.ts"

export interface ClusterListener extends ConnectionListener {
  /** It is known who has which slots; these are the addresses of the nodes. */
  onTopologyKnown(nodes: () => string[]): void
  /** Nobody could tell who has which slots. */
  onTopologyUnknown(error: ConnectionError): void
  /** An attempt to connect to a node failed. */
  onNodeFailed(address: string, error: ConnectionError): void
  /** A node has sent a command elsewhere. */
  onRedirected(type: "moved" | "ask", slot: number, targetAddress: string): void
}

export class ClusterLifecycle extends Lifecycle implements ClusterListener {
  onTopologyKnown(nodes: () => string[]): void {
    this.#publish(ownChannels.topologyChange, (about) => ({ ...about, nodes: nodes() }))
  }

  onTopologyUnknown(error: ConnectionError): void {
    this.#publish(ownChannels.failedTopologyRefresh, (about) => ({ ...about, error }))
  }

  onNodeFailed(address: string, error: ConnectionError): void {
    this.#publish(ownChannels.nodeConnectionFailed, (about) => ({ ...about, address, error }))
  }

  /** Not at once: replies are being handed out, and listeners may call back. */
  onRedirected(type: "moved" | "ask", slot: number, targetAddress: string): void {
    if (!ownChannels.redirection.hasSubscribers) return
    queueMicrotask(() =>
      this.#publish(ownChannels.redirection, (about) => ({ ...about, type, slot, targetAddress })),
    )
  }

  #publish<Event>(channel: OwnChannel<Event>, event: (about: About) => Event): void {
    if (channel.hasSubscribers) channel.publish(event({ cluster: this.client, name: this.name }))
  }
}

/** What all events of a cluster have in common. */
interface About {
  readonly cluster: object
  readonly name: string | undefined
}
