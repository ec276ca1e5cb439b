import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { connect } from "node:net"
import { dirname } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { once, until } from "../../support/wait.ts"

interface Forgotten {
  readonly port: number
  readonly dir: string
}

const program = fileURLToPath(new URL("fixtures/forgetful.ts", import.meta.url))

/** Runs the program until it has a server. */
async function forget(
  how: string,
): Promise<{ child: ChildProcess; ended: Promise<unknown>; server: Forgotten }> {
  const child = spawn(process.execPath, ["--import", "tsx", program, how], {
    stdio: ["ignore", "pipe", "ignore"],
  })
  const ended = once(child, "exit", { timeout: 20_000 })
  const [line] = await once(child.stdout!, "data", { timeout: 20_000 })
  return { child, ended, server: JSON.parse(String(line)) as Forgotten }
}

/** Asks the port and not for the process, which exists until somebody has fetched its exit code. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })
}

async function assertGone({ port, dir }: Forgotten): Promise<void> {
  await until(async () => !(await listens(port)), { message: "the end of the server" })
  await until(() => !existsSync(dirname(dir)), { message: "the end of its folder" })
}

describe("a process that forgets its server", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    it(`leaves nothing behind when it dies of ${signal}`, async () => {
      const { child, ended, server } = await forget("stay")
      assert.ok(await listens(server.port))
      child.kill(signal)
      assert.deepEqual(await ended, [null, signal])
      await assertGone(server)
    })
  }

  it("leaves nothing behind when it dies of an exception", async () => {
    const { ended, server } = await forget("throw")
    assert.deepEqual(await ended, [1, null])
    assert.equal(existsSync(server.dir), false)
    await assertGone(server)
  })

  it("ends by itself, even with a frozen server, and leaves nothing behind", async () => {
    const { ended, server } = await forget("frozen")
    assert.deepEqual(await ended, [0, null])
    assert.equal(existsSync(server.dir), false)
    await assertGone(server)
  })
})
