/**
 * Leaves nothing behind: knows the child processes and temporary folders of this process, and removes them when
 * it ends, however it ends. What runs in them is the business of its callers.
 *
 * An ordinary end, an uncaught exception included, runs the `exit` hook. Every other end (SIGKILL, a signal that
 * nobody handles, a crash) runs no JavaScript, so a watchdog outside of this process does the same work: a shell
 * which notices the end because its standard input closes. Signals therefore need no handlers here, which would
 * change how the program under test reacts to them.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Each line of input is the whole list of living processes: the last complete one counts. */
const watchdogScript = `
while read -r line; do pids=$line; done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
rm -rf -- "$1"
`

interface Leftovers {
  readonly folder: string
  readonly watchdog: ChildProcess
  readonly children: Set<ChildProcess>
}

let leftovers: Leftovers | undefined

/** Creates an empty folder of its own, which is gone when this process is. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(ensureLeftovers().folder, `${name}-`))
}

/** Makes sure that `child` does not outlive this process. Call it in the same turn as `spawn`. */
export function killAtExit(child: ChildProcess): void {
  const { children } = ensureLeftovers()
  if (child.pid === undefined) return
  children.add(child)
  child.once("exit", () => {
    // At once, since the number may soon belong to a process of somebody else.
    children.delete(child)
    tellWatchdog()
  })
  tellWatchdog()
}

function ensureLeftovers(): Leftovers {
  if (leftovers) return leftovers
  // Short, because the path of a unix socket inside of it may have no more than about 100 bytes.
  const folder = mkdtempSync(join(tmpdir(), "redix-"))
  const watchdog = spawn("/bin/sh", ["-c", watchdogScript, "watchdog", folder], {
    cwd: "/",
    // Its own session, so that neither Ctrl-C nor a signal to the process group reaches it.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  })
  watchdog.on("error", reportWatchdog)
  watchdog.stdin?.on("error", reportWatchdog)
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref()
  process.once("exit", removeLeftovers)
  leftovers = { folder, watchdog, children: new Set() }
  return leftovers
}

function tellWatchdog(): void {
  if (!leftovers) return
  const pids = [...leftovers.children].map((child) => child.pid)
  leftovers.watchdog.stdin?.write(`${pids.join(" ")}\n`)
}

function removeLeftovers(): void {
  if (!leftovers) return
  for (const child of leftovers.children) child.kill("SIGKILL")
  rmSync(leftovers.folder, { recursive: true, force: true })
}

function reportWatchdog(cause: Error): void {
  process.emitWarning(`nobody watches over the servers of this process any more: ${cause.message}`)
}
