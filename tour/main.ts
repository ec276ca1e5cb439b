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

process.exitCode = await main(process.argv.slice(2), interruption())

async function main(args: string[], signal: AbortSignal): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
    })
    if (values.help) {
      print(HELP)
      return 0
    }
    return (await tour(positionals[0], new Stage({ signal, quick: values.quick }))) ? 0 : 1
  } catch (error) {
    if (signal.aborted) {
      print(`\n${paint.dim("stopped")}`)
      return INTERRUPTED
    }
    // A wrong argument or a server that cannot be reached. Anything else is a fault of the tour, and needs its stack.
    if (!(error instanceof RedixError || error instanceof TypeError)) throw error
    print(`\n${describeError(error)}`)
    return 1
  }
}

/** Returns whether the books are right. */
async function tour(url: string | undefined, stage: Stage): Promise<boolean> {
  const target = url === undefined ? await startServer() : useServer(url, () => Redix.connect(url))
  const facts = `Node.js ${process.version}, ${target.description}`
  print(`\n${paint.bold("Redix for TypeScript")} ${VERSION}  ${paint.dim(facts)}`)
  try {
    return await allParts(stage, target)
  } finally {
    await target.stop()
  }
}

async function allParts(stage: Stage, target: Target): Promise<boolean> {
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

/** Aborted by Ctrl-C. Another one, later, ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  let first = 0
  const interrupt = () => {
    // One Ctrl-C may arrive twice: from the terminal, and from the program that runs this one.
    if (controller.signal.aborted && performance.now() - first > 500) process.exit(INTERRUPTED)
    if (!controller.signal.aborted) first = performance.now()
    controller.abort()
  }
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, interrupt)
  return controller.signal
}
