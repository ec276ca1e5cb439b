/**
 * The options of single calls: of a request, a subscription, a checkout, of `ready` and of `close`. Their types, and in one
 * table each what is allowed. Leaves to everybody else what an option does.
 */

import { COUNT_EXPECTED, isCount, isDuration } from "./option-kinds.ts"
import {
  checkOptions,
  numberRow,
  type OptionRow,
  type OptionRows,
  type OptionSet,
  optionSet,
  row,
} from "./options-table.ts"

/** What strings in replies become: text, or `Buffer`s with the bytes as they came. */
export type Encoding = "utf8" | "buffer"

/** Options of one request. */
export interface RequestOptions<E extends Encoding = Encoding> {
  /** Milliseconds, more than 0, until the request rejects; `Infinity` for never. Default: `commandTimeout` of the connection. */
  timeout?: number | undefined
  /** Aborts the request, which rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
  /** What strings in the reply become. Default: `"utf8"`. */
  encoding?: E | undefined
  /** Anything; handed to telemetry with the request. Default: none. */
  metadata?: unknown
}

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds to wait for the replies in flight: `0` for not at all, `Infinity` for no limit. Default: `5000`. */
  timeout?: number | undefined
}

/** Options of `ready`. */
export interface ReadyOptions {
  /** Milliseconds, more than 0, until it rejects; `Infinity` for never. Default: `Infinity`. */
  timeout?: number | undefined
  /** Ends the waiting; it rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
}

/** Options of `checkout` and `use`. */
export interface CheckoutOptions {
  /** Milliseconds, more than 0, until there has to be a connection; `Infinity` for no limit. Default: `commandTimeout`. */
  timeout?: number | undefined
  /** Ends the waiting; it rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
}

/** Options of `watch`. */
export interface WatchOptions extends CheckoutOptions {
  /** Number of times that it is tried again when a watched key has changed; `Infinity` for no limit. Default: `10`. */
  retries?: number | undefined
}

/** Options of one subscription. */
export interface SubscribeOptions<E extends Encoding = Encoding> {
  /** What payloads become. Default: `"utf8"`. */
  encoding?: E | undefined
  /** Number of events that an iterator keeps while it is not read; beyond it the oldest are dropped. Default: `10_000`. */
  maxBuffered?: number | undefined
  /**
   * Milliseconds, more than 0, until the server has to have confirmed, counted from when the connection stands;
   * `Infinity` for no limit. Default: `commandTimeout` of the connection.
   */
  timeout?: number | undefined
  /** Rejects a `subscribe` that waits, with its reason; later, ends the subscription. Default: none. */
  signal?: AbortSignal | undefined
}

const timeoutRow: OptionRow<number> = numberRow(isDuration, {
  type: "number",
  expected: "a number of milliseconds greater than 0, or Infinity",
  unit: "ms",
  doc: "time until the request rejects; without it, `commandTimeout` of the connection",
})

const signalRow: OptionRow<AbortSignal> = row(isAbortSignal, {
  type: "AbortSignal",
  expected: "an AbortSignal",
  doc: "aborts it: the promise rejects with the signal's reason",
})

/** The rows of a request; other sets are made of them and rows of their own. */
export const requestRows: OptionRows<RequestOptions> = {
  timeout: timeoutRow,
  signal: signalRow,
  encoding: row(isEncoding, {
    type: '"utf8" | "buffer"',
    expected: '"utf8" or "buffer"',
    default: "utf8",
    doc: "what strings in the reply become: text, or a `Buffer` with the bytes as they came",
  }),
  metadata: row(isAnything, {
    type: "unknown",
    expected: "anything",
    doc: "handed to telemetry with the request",
  }),
}

export const requestOptions: OptionSet<RequestOptions> = optionSet("Redix request", requestRows)

export const closeOptions: OptionSet<CloseOptions> = optionSet("Redix close", {
  timeout: numberRow((value) => value >= 0, {
    type: "number",
    expected: "a number of milliseconds, 0 or more, or Infinity",
    unit: "ms",
    default: 5000,
    doc: "time to wait for the replies in flight",
  }),
})

export const readyOptions: OptionSet<ReadyOptions> = optionSet("Redix ready", {
  timeout: { ...timeoutRow, default: Infinity, doc: "time until the promise rejects" },
  signal: signalRow,
})

const checkoutRows: OptionRows<CheckoutOptions> = {
  timeout: {
    ...timeoutRow,
    doc: "time until there has to be a connection; without it, `commandTimeout` of the connection",
  },
  signal: signalRow,
}

export const checkoutOptions: OptionSet<CheckoutOptions> = optionSet("Pool checkout", checkoutRows)

export const watchOptions: OptionSet<WatchOptions> = optionSet("Pool watch", {
  ...checkoutRows,
  retries: numberRow((value) => value === 0 || isCount(value), {
    type: "number",
    expected: "an integer of 0 or more, or Infinity",
    default: 10,
    doc: "number of times that it is tried again when a watched key has changed",
  }),
})

export const subscribeOptions: OptionSet<SubscribeOptions> = optionSet("PubSub subscribe", {
  encoding: {
    ...requestRows.encoding,
    doc: "what payloads become: text, or a `Buffer` with the bytes as they came",
  },
  maxBuffered: numberRow(isCount, {
    type: "number",
    expected: COUNT_EXPECTED,
    default: 10_000,
    doc: "number of events that an iterator keeps while it is not read; beyond it the oldest are dropped",
  }),
  timeout: {
    ...timeoutRow,
    doc: "time until the server has to have confirmed, from when the connection stands; without it, `commandTimeout` of the connection",
  },
  signal: {
    ...signalRow,
    doc: "rejects a `subscribe` that waits, with its reason; later, ends the subscription",
  },
})

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link RequestOptions}. */
export function checkRequestOptions(options: unknown): void {
  checkOptions(requestOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link CloseOptions}. */
export function checkCloseOptions(options: unknown): void {
  checkOptions(closeOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link ReadyOptions}. */
export function checkReadyOptions(options: unknown): void {
  checkOptions(readyOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link CheckoutOptions}. */
export function checkCheckoutOptions(options: unknown): void {
  checkOptions(checkoutOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link WatchOptions}. */
export function checkWatchOptions(options: unknown): void {
  checkOptions(watchOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link SubscribeOptions}. */
export function checkSubscribeOptions(options: unknown): void {
  checkOptions(subscribeOptions, options)
}

function isEncoding(value: unknown): value is Encoding {
  return value === "utf8" || value === "buffer"
}

/** Also of another realm, or of a library: what it can do counts. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" &&
    value !== null &&
    "aborted" in value &&
    typeof value.aborted === "boolean" &&
    "addEventListener" in value &&
    typeof value.addEventListener === "function" &&
    "removeEventListener" in value &&
    typeof value.removeEventListener === "function"
  )
}

function isAnything(value: unknown): value is unknown {
  return value !== undefined
}
