import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nextState, type State, type StateEvent } from "../../src/connection/state.ts"

/** Every state, and what each event makes of it; the events that are missing cannot happen in it. */
const table: Readonly<Record<State, Partial<Record<StateEvent, State>>>> = {
  connecting: { up: "connected", failed: "disconnected", close: "closing", end: "closed" },
  connected: { lost: "disconnected", moved: "connecting", close: "closing", end: "closed" },
  disconnected: { dial: "connecting", close: "closing", end: "closed" },
  closing: { lost: "closing", end: "closed" },
  closed: {},
}
const states = Object.keys(table) as State[]
const events: readonly StateEvent[] = ["dial", "up", "failed", "lost", "moved", "close", "end"]

describe("nextState", () => {
  for (const state of states) {
    for (const event of events) {
      const next = table[state][event]
      if (next === undefined) {
        it(`takes no "${event}" while ${state}`, () => {
          const message = `a connection that is ${state} cannot take the event "${event}"`
          assert.throws(() => nextState(state, event), { name: "Error", message })
        })
      } else {
        it(`leads from ${state} by "${event}" to ${next}`, () => assert.equal(nextState(state, event), next))
      }
    }
  }

  it("leads to the end from everywhere but there", () => {
    for (const state of states) if (state !== "closed") assert.equal(nextState(state, "end"), "closed")
  })
})
