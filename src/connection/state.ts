/** The states of a connection and what leads from one to another. Knows neither timers nor sockets. */

export type State = "connecting" | "connected" | "disconnected" | "closing" | "closed"

export type StateEvent =
  /** The wait is over (or there is none): an attempt begins. */
  | "dial"
  /** The handshake was answered. */
  | "up"
  /** The attempt failed. */
  | "failed"
  /** The connection dropped. */
  | "lost"
  /** The connection was left from here, to connect again at once. */
  | "moved"
  /** The caller wants no more, but what is in flight may still be answered. */
  | "close"
  /** It has ended for good. */
  | "end"

const transitions: Readonly<Record<State, Partial<Readonly<Record<StateEvent, State>>>>> = {
  connecting: { up: "connected", failed: "disconnected", close: "closing", end: "closed" },
  connected: { lost: "disconnected", moved: "connecting", close: "closing", end: "closed" },
  disconnected: { dial: "connecting", close: "closing", end: "closed" },
  closing: { lost: "closing", end: "closed" },
  closed: {},
}

/** The state after an event; an event that cannot happen in a state is a defect of the driver. */
export function nextState(state: State, event: StateEvent): State {
  const next = transitions[state][event]
  if (next === undefined) throw new Error(`a connection that is ${state} cannot take the event "${event}"`)
  return next
}

/** What users see of it: an attempt is under way, it stands, it waits for the next attempt, it has ended or is ending. */
export type Status = "connecting" | "connected" | "disconnected" | "closed"

export function statusOf(state: State): Status {
  return state === "closing" ? "closed" : state
}
