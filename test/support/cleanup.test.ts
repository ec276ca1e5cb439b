import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { once, until } from "../../support/wait.ts"

interface Forgotten {
  readonly pid: number
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

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function assertGone({ pid, dir }: Forgotten): Promise<void> {
  await until(() => !alive(pid), { message: "the end of the server" })
  await until(() => !existsSync(dirname(dir)), { message: "the end of its folder" })
}

describe("a process that forgets its server", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    it(`leaves nothing behind when it dies of ${signal}`, async () => {
      const { child, ended, server } = await forget("stay")
      assert.ok(alive(server.pid))
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
