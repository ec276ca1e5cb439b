/** Asks for a password in the terminal, and shows nothing of it. Knows nothing of what it is for. */

import { openSync } from "node:fs"
import { StringDecoder } from "node:string_decoder"
import { ReadStream } from "node:tty"
import { EXIT, Interrupted, UsageError } from "./exit.ts"
import type { Interruption } from "./interrupt.ts"

/** What is typed until Enter. Of the terminal itself, so that the standard input may be something else. */
export async function askSecret(question: string, interruption: Interruption): Promise<string> {
  const terminal = openTerminal()
  const wasRaw = terminal.isRaw
  // First, so that nothing is echoed that is typed as soon as the question is there.
  terminal.setRawMode(true)
  process.stderr.write(question)
  const resume = () => {
    // Whoever stopped us has set the terminal as they like.
    terminal.setRawMode(false).setRawMode(true)
    process.stderr.write(question)
  }
  process.on("SIGCONT", resume)
  try {
    return await readSecret(terminal, interruption)
  } finally {
    process.off("SIGCONT", resume)
    terminal.setRawMode(wasRaw)
    terminal.pause()
    if (terminal !== process.stdin) terminal.destroy()
    process.stderr.write("\n")
  }
}

function openTerminal(): ReadStream {
  if (process.stdin.isTTY && process.stdin instanceof ReadStream) return process.stdin
  try {
    return new ReadStream(openSync("/dev/tty", "r"))
  } catch (cause) {
    throw new UsageError("--askpass needs a terminal: use REDIS_PASSWORD where there is none", { cause })
  }
}

function readSecret(terminal: ReadStream, interruption: Interruption): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    // A character may come in two pieces.
    const decoder = new StringDecoder("utf8")
    const done = (settle: () => void) => {
      terminal.off("data", read).off("end", ended)
      interruption.signal.removeEventListener("abort", ended)
      settle()
    }
    const ended = () => done(() => reject(new Interrupted(interruption.code ?? EXIT.interrupted)))
    const read = (data: Buffer) => {
      // Arrows and their kin are no part of a password.
      for (const character of decoder.write(data).replace(KEYS, "")) {
        if (character === "\r" || character === "\n") return done(() => resolve(typed.join("")))
        if (character === "\u0003" || character === "\u0004") return ended()
        if (character === "\u007f" || character === "\b") typed.pop()
        else if (character === "\u0015") typed = []
        else if (character === "\u001a") suspend(terminal)
        else if (character >= " ") typed.push(character)
      }
    }
    terminal.on("data", read).once("end", ended)
    interruption.signal.addEventListener("abort", ended, { once: true })
    if (interruption.signal.aborted) ended()
    else terminal.resume()
  })
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are sent as that
const KEYS = /\u001b(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])/g

function suspend(terminal: ReadStream): void {
  terminal.setRawMode(false)
  process.kill(process.pid, "SIGTSTP")
}
