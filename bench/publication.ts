// What is published in a row: window after window of the same messages, which the subscriber knows as well and so can
// check what it gets.

export interface Publication {
  /** Messages go to these in turn. */
  readonly channels: readonly string[]
  readonly payloadBytes: number
}

export interface Message {
  readonly channel: string
  readonly payload: string
}

const WINDOW_BYTES = 1 << 20 // several must fit into what a server keeps for a slow subscriber
const FEWEST = 2048
const MOST = 8192
const SEQUENCE_DIGITS = 8
const FILLER = "abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ "

/** How many messages are published at a time. */
export function windowOf({ payloadBytes }: Publication): number {
  return Math.min(MOST, Math.max(FEWEST, Math.floor(WINDOW_BYTES / payloadBytes)))
}

/** The messages of one window. */
export function messagesOf(publication: Publication): Message[] {
  const { channels, payloadBytes } = publication
  const filler = FILLER.repeat(Math.ceil(payloadBytes / FILLER.length))
  return Array.from({ length: windowOf(publication) }, (_, i) => ({
    channel: channels[i % channels.length]!,
    payload: `${String(i).padStart(SEQUENCE_DIGITS, "0")} ${filler}`.slice(0, payloadBytes),
  }))
}
