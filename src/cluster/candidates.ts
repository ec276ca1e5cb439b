/**
 * The nodes that can be asked who has which slots: over a connection that stands, or over one made for the question.
 * Knows how to ask; leaves to the inquiry whom, and when to stop.
 */

import { CommandRequest } from "../connection/command-request.ts"
import type { Connection, ConnectionListener } from "../connection/connection.ts"
import { RequestTerms } from "../connection/request.ts"
import { openConnection } from "../open/open.ts"
import type { ResolvedOptions } from "../options.ts"
import type { Candidate } from "./inquiry.ts"
import type { ClusterNode } from "./node.ts"
import type { NodeAddress } from "./redirect.ts"

const QUESTION = ["CLUSTER", "SLOTS"]

/** The driver's own question, whatever limit there is for a user's. */
class Question extends CommandRequest {
  override get isOverhead(): boolean {
    return true
  }
}

function ask(
  connection: Connection,
  timeout: number,
  onReply: (reply: unknown) => void,
  onError: (error: unknown) => void,
): void {
  const question = new Question(onReply, onError, false)
  question.terms = new RequestTerms(question, timeout, undefined)
  connection.submit(question, QUESTION)
}

/** A node whose connection stands. */
export function standingNode(node: ClusterNode, timeout: number): Candidate {
  return {
    address: { host: node.host, port: node.port },
    ask(onReply, onError) {
      let isStopped = false
      const unless = (tell: (value: unknown) => void) => (value: unknown) => {
        if (!isStopped) tell(value)
      }
      ask(node.connection, timeout, unless(onReply), unless(onError))
      return {
        stop() {
          isStopped = true
        },
        // Its connection is the node's.
        keepAlive() {},
      }
    },
  }
}

const NOBODY: ConnectionListener = {
  onConnected() {},
  onDisconnected() {},
  onAttemptFailed() {},
  onSentinelFailed() {},
  onEnded() {},
}

/** Somebody at an address, such as a seed, by its name as it was given: what that means is looked up anew each time. */
export function seed(address: NodeAddress, options: ResolvedOptions): Candidate {
  return {
    address,
    ask(onReply, onError) {
      const here = { ...options, ...address, exitOnDisconnection: true }
      const connection = openConnection(here, NOBODY, true, { isReplaceable: true })
      const then = (tell: (value: unknown) => void) => (value: unknown) => {
        connection.destroy()
        tell(value)
      }
      ask(connection, options.timeout, then(onReply), then(onError))
      return {
        stop: () => connection.destroy(),
        keepAlive: (keepsAlive) => connection.keepAlive(keepsAlive),
      }
    },
  }
}
