/** What the tests of telemetry share: everything that is told, in order, while a test listens. */
import assert from "node:assert/strict"
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel"
import type { TestContext } from "node:test"
import type { PipelineEvent } from "@redix/client"

export type Kind = "start" | "end" | "asyncStart" | "asyncEnd" | "error"

export interface Told {
  readonly kind: Kind
  readonly event: PipelineEvent
  /** The event as it was just then. */
  readonly seen: PipelineEvent
}

const KINDS: readonly Kind[] = ["start", "end", "asyncStart", "asyncEnd", "error"]

/** All that is told of requests from now on, by the names of the channels. */
export function heard(t: TestContext, onTold: (told: Told) => void = () => {}): Told[] {
  const all: Told[] = []
  const listeners = Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      (event: unknown) => {
        const told = { kind, event: event as PipelineEvent, seen: { ...(event as PipelineEvent) } }
        all.push(told)
        onTold(told)
      },
    ]),
  ) as Record<Kind, (event: unknown) => void>
  const channel = tracingChannel<unknown, object>("redix:pipeline")
  channel.subscribe(listeners)
  t.after(() => channel.unsubscribe(listeners))
  return all
}

/** All that is told on a channel from now on. */
export function heardOn<Event = Record<string, unknown>>(t: TestContext, name: string): Event[] {
  const all: Event[] = []
  const listener = (event: unknown): void => void all.push(event as Event)
  subscribe(name, listener)
  t.after(() => unsubscribe(name, listener))
  return all
}

export function kinds(all: readonly Told[]): Kind[] {
  return all.map(({ kind }) => kind)
}

export const SUCCESS: readonly Kind[] = ["start", "end", "asyncStart", "asyncEnd"]
export const FAILURE: readonly Kind[] = ["start", "end", "error", "asyncStart", "asyncEnd"]

/** Asserts that each request was told of from its beginning to its end, once; returns the events that failed. */
export function assertAccounted(all: readonly Told[], count: number): PipelineEvent[] {
  const byEvent = new Map<PipelineEvent, Kind[]>()
  for (const { kind, event } of all) byEvent.set(event, [...(byEvent.get(event) ?? []), kind])
  assert.equal(byEvent.size, count)
  const failed: PipelineEvent[] = []
  for (const [event, kindsOfIt] of byEvent) {
    const hasFailed = "error" in event
    assert.deepEqual(kindsOfIt, hasFailed ? FAILURE : SUCCESS)
    assert.ok(typeof event.duration === "number" && event.duration >= 0)
    if (hasFailed) failed.push(event)
  }
  return failed
}

/** `["GET key", …]` */
export function spelled(commands: PipelineEvent["commands"] | undefined): string[] {
  return (commands ?? []).map((command) => command.join(" "))
}
