/** Figures of connections that can be read at any time, and sums of them. Knows no connection. */

import type { Status } from "./state.ts"

/**
 * What a connection has done since it was started, over all reconnections, and what it has to do just now. At any moment
 * `accepted` is `settled + waiting + inFlight`.
 */
export interface ConnectionStats {
  /** Requests that were taken on, each once, whatever number of commands it has. */
  readonly accepted: number
  /** Those of them whose callers have been answered, also by an error. */
  readonly settled: number
  /** Those of them that wait: for a connection, or for the end of the tick. */
  readonly waiting: number
  /** Those of them that were sent and are not answered. */
  readonly inFlight: number
  /** Requests that were rejected at the call: the connection is closed or between attempts, or has enough to do. */
  readonly refused: number
  /** Replies that were thrown away, because their callers had gone: by a timeout or an abort. */
  readonly lateReplies: number
  /** How often it was connected again. */
  readonly reconnections: number
  /** Bytes received and sent as RESP, handshakes that succeeded included; without what TLS adds to it. */
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** One of the connections of a client. */
export interface MemberStats extends ConnectionStats {
  /** Where it is connected to, or was last. */
  readonly address: string
  readonly status: Status
}

/** Sums over all connections of a client, those that have ended included, and each that there is now. */
export interface CombinedStats extends ConnectionStats {
  readonly connections: readonly MemberStats[]
}

export const NO_STATS: ConnectionStats = {
  accepted: 0,
  settled: 0,
  waiting: 0,
  inFlight: 0,
  refused: 0,
  lateReplies: 0,
  reconnections: 0,
  bytesRead: 0,
  bytesWritten: 0,
}

export function addStats(a: ConnectionStats, b: ConnectionStats): ConnectionStats {
  return {
    accepted: a.accepted + b.accepted,
    settled: a.settled + b.settled,
    waiting: a.waiting + b.waiting,
    inFlight: a.inFlight + b.inFlight,
    refused: a.refused + b.refused,
    lateReplies: a.lateReplies + b.lateReplies,
    reconnections: a.reconnections + b.reconnections,
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
  }
}

/**
 * Requests that are not on any connection: those that wait for one, those that have settled while they did, and those that
 * were refused at the call.
 */
export function waitingStats(waiting: number, settled: number, refused: number): ConnectionStats {
  return { ...NO_STATS, accepted: waiting + settled, waiting, settled, refused }
}

/** Something that has stats. */
interface Member {
  readonly address: string
  readonly status: Status
  stats(): ConnectionStats
}

/** @param others what belongs to the sums beside the connections */
export function combineStats(members: Iterable<Member>, others: readonly ConnectionStats[]): CombinedStats {
  const connections: MemberStats[] = []
  for (const member of members) {
    const { address, status } = member
    connections.push({ address, status, ...member.stats() })
  }
  return { ...[...connections, ...others].reduce(addStats, NO_STATS), connections }
}
