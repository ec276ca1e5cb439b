/** Errors in words for a person: what happened, and what to do about it. Knows nothing of how they are shown. */

import { ConnectionError, RedisError } from "../index.ts"
import { EXIT, Interrupted, UsageError } from "./exit.ts"
import { harmlessLine } from "./quote.ts"
import { InputError } from "./words.ts"

export interface Explanation {
  readonly problem: string
  readonly advice: string | undefined
}

/** What to do, by the reason of a `ConnectionError`. */
const BY_REASON: Readonly<Record<string, string>> = {
  timeout:
    "nothing answers there in time: a firewall, a wrong address, or a busy server; --timeout waits longer",
  tls: "is it a TLS port, and is its authority known? --ca FILE says whom to trust, --servername which name to expect",
  authentication: "check user and password: --user, --askpass, REDIS_PASSWORD or the URL",
  "no-viable-sentinel": "check --sentinel and --group: each sentinel's answer is in the message",
  "protocol-error": "is it a Redis or Valkey server, and is --tls right?",
  "wrong-role": "the server has another role than asked for: a failover may be under way, try again",
  "no-reachable-node":
    "check --url: each node's answer is in the message. The addresses that nodes announce have to be reachable from here",
  "too-many-redirections":
    "its nodes do not agree on who has the slot: redix --cluster doctor tells more; try again when they do",
  disconnected: "the server closed the connection: its log tells why",
}

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: is the server up, and are host and port right?",
  ENOTFOUND: "no such name: check the host",
  EAI_AGAIN: "names cannot be resolved at the moment: check the network and its DNS",
  EHOSTUNREACH: "no way leads there: check the address and the network",
  ENETUNREACH: "no way leads there: check the address and the network",
  ENOENT: "no such socket: check --socket, and unixsocket in the server's configuration",
  EACCES: "you may not use that socket: check its permissions",
}

/** By the beginning of an error reply. */
const BY_REPLY: readonly (readonly [RegExp, string])[] = [
  [/^NOAUTH/, "the server wants a password: --askpass, REDIS_PASSWORD or the URL"],
  [/^WRONGPASS/, "check user and password: --user, --askpass, REDIS_PASSWORD or the URL"],
  [/^NOPERM/, "the user may not do that: ACL GETUSER shows what it may"],
  [/^DENIED/, "the server is in protected mode: give it a password, or bind it to an address"],
  [/max number of clients/, "raise maxclients, or look at CLIENT LIST for connections that nobody closes"],
  [/^(?:MOVED|ASK) /, "the key lives on another node of the cluster: with --cluster it is found"],
  [
    /^CROSSSLOT/,
    "the keys are in several slots: give them one {tag}, as in user:{42}:name, or send a command for each",
  ],
  [/^CLUSTERDOWN/, "some slots have no node: redix --cluster doctor tells which"],
  [/^TRYAGAIN/, "the slot of these keys is on its way to another node: try again in a while"],
  [/cluster support disabled/i, "this server is no node of a cluster: leave --cluster out"],
  [/^READONLY/, "this is a replica: write to the primary (with --sentinel it is found)"],
  [/^LOADING/, "the server is still reading its data: try again in a while"],
  [/^MISCONF/, "the server cannot save its data: its log tells why"],
  [/^OOM/, "the server is at its maxmemory: raise it, or choose a maxmemory-policy that evicts"],
]

export function explain(error: unknown): Explanation {
  if (error instanceof RedisError)
    return { problem: harmlessLine(error.message), advice: replyAdvice(error.message) }
  if (error instanceof ConnectionError) {
    return { problem: harmlessLine(error.message), advice: connectionAdvice(error) }
  }
  return { problem: error instanceof Error ? error.message : String(error), advice: undefined }
}

/** What may have become of a command that has no reply. */
export function fateOf(error: unknown): string | undefined {
  return error instanceof ConnectionError && error.outcome === "unknown"
    ? "it may have run on the server"
    : undefined
}

/** The exit code that an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.code
  if (error instanceof ConnectionError) return EXIT.connection
  if (error instanceof UsageError || error instanceof InputError || error instanceof TypeError)
    return EXIT.usage
  return EXIT.failed
}

function replyAdvice(message: string): string | undefined {
  return BY_REPLY.find(([pattern]) => pattern.test(message))?.[1]
}

function connectionAdvice(error: ConnectionError): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? cause.code : undefined
    const advice = cause instanceof RedisError ? replyAdvice(cause.message) : BY_CODE[String(code)]
    if (advice !== undefined) return advice
  }
  return BY_REASON[error.reason]
}
