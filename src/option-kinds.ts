/** Kinds of values that several options have: numbers of milliseconds, ports, texts. Leaves to the tables which options. */

import { numberRow, type OptionFacts, type OptionRow } from "./options-table.ts"

export const text: Pick<OptionFacts<string>, "type" | "expected"> = {
  type: "string",
  expected: "a string that is not empty",
}

export const flag: Pick<OptionFacts<boolean>, "type" | "expected"> = {
  type: "boolean",
  expected: "true or false",
}

export const port: Pick<OptionFacts<number>, "type" | "expected"> = {
  type: "number",
  expected: "an integer between 1 and 65535",
}

export const COUNT_EXPECTED = "an integer of 1 or more, or Infinity"

export function milliseconds(byDefault: number, doc: string, aliases: readonly string[]): OptionRow<number> {
  return numberRow(isDuration, {
    type: "number",
    expected: "a number of milliseconds greater than 0, or Infinity",
    unit: "ms",
    default: byDefault,
    doc,
    aliases,
  })
}

export function isDuration(value: number): boolean {
  return value > 0
}

export function isCount(value: number): boolean {
  return value === Infinity || (Number.isInteger(value) && value >= 1)
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean"
}
