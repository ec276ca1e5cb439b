/** The second part of the tour: errors that say what happened, and time that runs out. */
import type { Redix } from "@redix/client"
import type { Stage } from "./stage.ts"

type Key = (name: string) => string

export async function errors(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Errors", "the server's own words, with a code to tell them apart")
  const queue = key("queue")
  await stage.showError(() => conn.command(["INCR", queue]))
  await stage.show(() =>
    conn.pipeline([
      ["LLEN", queue],
      ["INCR", queue],
      ["LINDEX", queue, 0],
    ]),
  )
  stage.say("in a pipeline an error stands in its place, and the others count")
  await stage.show(() => conn.safe.command(["INCR", queue]))
  stage.say("safe never rejects: the error is a value")
}

export async function deadlines(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Deadlines and aborts", "every request settles; it says whether the command may have run")
  const [greeting, nothing] = [key("greeting"), key("nothing")]
  const waiting = conn.duplicate()
  try {
    await waiting.ready()
    await stage.showError(() => waiting.command(["BLPOP", nothing, 0], { timeout: 300 }))
  } finally {
    waiting.destroy()
  }
  const signal = AbortSignal.abort(new Error("nobody waits for it any more"))
  await stage.showError(() => conn.command(["GET", greeting], { signal }))
  stage.say("an abort rejects with the reason of its signal; what was not yet written is never sent")
}
