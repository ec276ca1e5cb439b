// The keys and values that the workloads read and write, and how they get onto the server and off it again.
// Every key starts with the same prefix, so that a server given by --url keeps what else it holds.
import { createClient, createCluster } from "redis"

const PREFIX = "redix-bench:"
const SMALL_KEYS = 1000
const MIB = 1024 * 1024

export const smallKeys: readonly string[] = numbered(SMALL_KEYS, "get")
export const setKeys: readonly string[] = numbered(SMALL_KEYS, "set")
export const unicodeKeys: readonly string[] = numbered(64, "unicode")
export const smallValue = "value-0123456789-abcdef"
export const unicodeValue = "Zażółć gęślą jaźń, 漢字 № 17 😀"

export const counterKey = `${PREFIX}counter`
export const blockKey = `${PREFIX}block`
export const bigSetKey = `${PREFIX}set:big`

export const smallHash = { key: `${PREFIX}hash:small`, fields: hashOf(5) }
export const bigHash = { key: `${PREFIX}hash:1k`, fields: hashOf(1000) }
export const bigList = { key: `${PREFIX}list:10k`, items: listOf(10_000) }

/** Channels of this process, which no other one uses, and a pattern that matches them all. */
export function ownChannels(count: number): { channels: string[]; pattern: string } {
  const prefix = `${PREFIX}ch:${process.pid}:`
  return { channels: Array.from({ length: count }, (_, i) => `${prefix}${i}`), pattern: `${prefix}*` }
}

export type BigSize = "1m" | "10m"
export const bigKey = (size: BigSize | "1m-unicode"): string => `${PREFIX}big:${size}`
export const bigText = (size: BigSize): string =>
  flat("0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,", mib(size))
export const bigUnicode = (): string => flat(unicodeValue, MIB)

export async function seed(url: string): Promise<void> {
  await withServer(url, async (send) => {
    for (const key of [...smallKeys, ...setKeys]) await send(["SET", key, smallValue])
    for (const key of unicodeKeys) await send(["SET", key, unicodeValue])
    await send(["DEL", bigList.key, bigHash.key, smallHash.key, blockKey])
    await send(["RPUSH", bigList.key, ...bigList.items])
    for (const hash of [smallHash, bigHash])
      await send(["HSET", hash.key, ...Object.entries(hash.fields).flat()])
    await send(["SET", counterKey, "0"])
    for (const size of ["1m", "10m"] as const) await send(["SET", bigKey(size), bigText(size)])
    await send(["SET", bigKey("1m-unicode"), bigUnicode()])
  })
}

/** What the workloads of clusters read. */
export async function seedCluster(urls: readonly string[]): Promise<void> {
  const cluster = createCluster({ rootNodes: urls.map((url) => ({ url })) })
  await cluster.connect()
  try {
    await Promise.all(smallKeys.map((key) => cluster.set(key, smallValue)))
  } finally {
    await cluster.close()
  }
}

export async function removeSeed(url: string): Promise<void> {
  const bigKeys = [bigKey("1m"), bigKey("10m"), bigKey("1m-unicode"), bigSetKey]
  const others = [bigList.key, bigHash.key, smallHash.key, counterKey, blockKey]
  await withServer(url, async (send) => {
    await send(["UNLINK", ...smallKeys, ...setKeys, ...unicodeKeys, ...bigKeys, ...others])
  })
}

type Send = (command: string[]) => Promise<unknown>

async function withServer(url: string, use: (send: Send) => Promise<void>): Promise<void> {
  const client = createClient({ url, commandOptions: { timeout: 0 } })
  await client.connect()
  try {
    await use((command) => client.sendCommand(command))
  } finally {
    await client.close()
  }
}

function numbered(count: number, kind: string): string[] {
  return Array.from({ length: count }, (_, i) => `${PREFIX}${kind}:${String(i).padStart(4, "0")}`)
}

function listOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `item-${String(i).padStart(15, "0")}`)
}

function hashOf(count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, i) => String(i).padStart(4, "0"))
  return Object.fromEntries(names.map((name) => [`field-${name}`, `value-of-field-${name}`]))
}

// `join` makes one flat string; `repeat` makes a tree of halves, which the first client to read it would flatten.
function flat(piece: string, bytes: number): string {
  return new Array<string>(Math.floor(bytes / Buffer.byteLength(piece))).fill(piece).join("")
}

function mib(size: BigSize): number {
  return size === "1m" ? MIB : 10 * MIB
}
