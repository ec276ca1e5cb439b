/**
 * `npm start`: a tour of the driver in the terminal, on a real server that is started for it. `npm start -- redis://…`
 * takes the tour on yours. Ends with 1 if the books of the resilience story are wrong.
 */
import { parseArgs } from "node:util"
import { Redix, RedixError, VERSION } from "@redix/client"
import { bytes, commands, connecting, dataTypes, pipelines, transactions } from "./basics.ts"
import { deadlines, errors } from "./failures.ts"
import { resilience } from "./resilience.ts"
import { describeError, Stage } from "./stage.ts"
import { startServer, type Target, useServer } from "./target.ts"
import { paint, print } from "./terminal.ts"

const HELP = `npm start                   a tour of the driver, with a server of its own
npm start -- redis://…      the same with your server: own keys only, deleted at the end
npm start -- --quick        no pauses, and a short load`

const INTERRUPTED = 130

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
  })
  if (values.help) {
    print(HELP)
    return 0
  }
  const stage = new Stage({ signal: interruption(), quick: values.quick })
  const [url] = positionals
  const target = url === undefined ? await startServer() : useServer(url, () => Redix.connect(url))
  print()
  print(
    `${paint.bold("Redix for TypeScript")} ${VERSION}  ${paint.dim(`Node.js ${process.version}, ${target.description}`)}`,
  )
  try {
    return (await tour(stage, target).finally(() => target.stop())) ? 0 : 1
  } catch (error) {
    if (stage.signal.aborted) {
      print(`\n${paint.dim("stopped")}`)
      return INTERRUPTED
    }
    if (!(error instanceof RedixError)) throw error
    print(`\n${describeError(error)}`)
    return 1
  }
}

/** Returns whether the books are right. */
async function tour(stage: Stage, target: Target): Promise<boolean> {
  const start = performance.now()
  const conn = await connecting(stage, target.url)
  try {
    for (const part of [commands, dataTypes, bytes, pipelines, transactions, errors, deadlines]) {
      await part(stage, conn, target.key)
    }
    const isRight = await resilience(stage, conn, target)
    stage.title("Close", "waits for the replies in flight; nothing is left behind")
    await stage.show(() => conn.close())
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    print()
    print(paint.dim(`${seconds} s. Next: README.md, examples/ (npm run example), npm test, npm run bench`))
    return isRight
  } finally {
    conn.destroy()
  }
}

/** Aborted by Ctrl-C. A second one ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED)
      controller.abort()
    })
  }
  return controller.signal
}
